// A stateless MCP client (revision 2026-07-28) on fetch: one POST for each call, no session to keep or to clean up.
const VERSION = '2026-07-28'
const PREFIX = 'io.modelcontextprotocol/'

let lastId = 0

/**
 * Sends one request and resolves with its result. Progress arrives on the same answer; aborting the signal cancels the
 * call in the agent too.
 */
export async function request(endpoint, method, { params = {}, onProgress, signal } = {}) {
  const id = ++lastId
  const response = await fetch(endpoint, {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof params.name === 'string' ? { 'mcp-name': params.name } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta(id, onProgress) } }),
  })
  const type = response.headers.get('content-type') ?? ''
  if (response.status === 401)
    throw new Error('You are not signed in: open the login link that "ploinky start" printed')
  if (type.startsWith('text/event-stream')) return readStream(response, { id, onProgress })
  if (!type.startsWith('application/json')) throw new Error(`The endpoint answered with status ${response.status}`)
  const message = await response.json()
  if (message.jsonrpc === undefined)
    throw new Error(message.error?.message ?? `The endpoint answered with status ${response.status}`)
  return unwrap(message)
}

function meta(id, onProgress) {
  return {
    [`${PREFIX}protocolVersion`]: VERSION,
    [`${PREFIX}clientInfo`]: { name: 'ploinky-demo-page', version: '1.0.0' },
    [`${PREFIX}clientCapabilities`]: {},
    ...(onProgress === undefined ? {} : { progressToken: id }),
  }
}

async function readStream(response, { id, onProgress }) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error('The connection ended before the answer came')
    const events = (rest + value).split('\n\n')
    rest = events.pop()
    for (const event of events) {
      const data = event
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n')
      if (data.trim() === '') continue
      const message = JSON.parse(data)
      if (message.method === 'notifications/progress') onProgress?.(message.params)
      if (message.id === id) {
        reader.cancel().catch(() => undefined)
        return unwrap(message)
      }
    }
  }
}

function unwrap(message) {
  if (message.error !== undefined) throw new Error(message.error.message)
  return message.result
}
