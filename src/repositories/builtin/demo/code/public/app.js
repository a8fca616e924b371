import { request } from './mcp.js'

const state = document.querySelector('#state')
const list = document.querySelector('#list')

let endpoint

/**
 * Where the MCP server of this agent is. Behind the router this page is at /services/<agent>/ or at the root, and the
 * endpoint at /mcps/<agent>/mcp; without a router the agent serves both itself.
 */
async function findEndpoint() {
  const service = /\/services\/([^/]+)\//.exec(location.pathname)?.[1]
  const path = service === undefined && (await isAgentItself()) ? './mcp' : `../../mcps/${service ?? 'demo'}/mcp`
  return new URL(path, document.baseURI)
}

async function isAgentItself() {
  const response = await fetch('./health')
  if (!response.ok) return false
  const health = await response.json().catch(() => ({}))
  return health.server === 'ploinky-agent-mcp'
}

function element(name, properties = {}, ...children) {
  const { dataset, ...rest } = properties
  const node = Object.assign(document.createElement(name), rest)
  Object.assign(node.dataset, dataset)
  node.append(...children)
  return node
}

function field(tool, [name, schema], isRequired) {
  const type = schema.type === 'boolean' ? 'checkbox' : ['number', 'integer'].includes(schema.type) ? 'number' : 'text'
  const input = element('input', { name, type, required: isRequired && type !== 'checkbox', autocomplete: 'off' })
  if (type === 'number') input.step = schema.type === 'integer' ? '1' : 'any'
  if (schema.minimum !== undefined) input.min = String(schema.minimum)
  if (schema.maximum !== undefined) input.max = String(schema.maximum)
  if (schema.default !== undefined) input.value = String(schema.default)
  if (tool.name === 'echo') input.value = 'Hello, agent'
  const texts = [name]
  if (!isRequired) texts.push(' (optional)')
  if (schema.description !== undefined)
    texts.push(' ', element('span', { className: 'hint', textContent: schema.description }))
  return element('label', {}, element('span', {}, ...texts), input)
}

function readForm(form, tool) {
  const properties = tool.inputSchema.properties ?? {}
  const entries = Object.entries(properties).flatMap(([name, schema]) => {
    const input = form.elements.namedItem(name)
    if (schema.type === 'boolean') return [[name, input.checked]]
    if (input.value === '') return []
    return [[name, ['number', 'integer'].includes(schema.type) ? Number(input.value) : input.value]]
  })
  return Object.fromEntries(entries)
}

function card(tool) {
  const required = tool.inputSchema.required ?? []
  const fields = Object.entries(tool.inputSchema.properties ?? {}).map((entry) =>
    field(tool, entry, required.includes(entry[0])),
  )
  const call = element('button', { type: 'submit', textContent: 'Call' })
  const cancel = element('button', { type: 'button', className: 'quiet', textContent: 'Cancel', hidden: true })
  call.setAttribute('aria-label', `Call ${tool.name}`)
  cancel.setAttribute('aria-label', `Cancel ${tool.name}`)
  const form = element('form', {}, ...fields, element('div', { className: 'buttons' }, call, cancel))
  const bar = element('progress', { max: 1, value: 0, hidden: true })
  bar.setAttribute('aria-label', `Progress of ${tool.name}`)
  const answer = element('pre', { hidden: true, tabIndex: 0 })
  const live = element('div', {}, answer)
  live.setAttribute('role', 'status')
  answer.setAttribute('role', 'group')
  answer.setAttribute('aria-label', `Answer of ${tool.name}`)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    run(tool, { arguments_: readForm(form, tool), call, cancel, bar, answer })
  })
  const about = element('p', { className: 'about', textContent: tool.description ?? '' })
  const title = element('h2', { textContent: tool.title ?? tool.name })
  return element(
    'li',
    { className: 'tool', dataset: { tool: tool.name } },
    element('div', {}, title, about),
    form,
    bar,
    live,
  )
}

async function run(tool, { arguments_, call, cancel, bar, answer }) {
  const abort = new AbortController()
  const stop = () => abort.abort()
  cancel.addEventListener('click', stop)
  call.disabled = true
  cancel.hidden = false
  bar.value = 0
  const onProgress = ({ progress, total }) => {
    bar.hidden = false
    if (total !== undefined) Object.assign(bar, { max: total, value: progress })
  }
  try {
    const result = await request(endpoint, 'tools/call', {
      params: { name: tool.name, arguments: arguments_ },
      onProgress,
      signal: abort.signal,
    })
    show(answer, result.content.map((block) => block.text ?? `(${block.type})`).join('\n'), result.isError === true)
  } catch (error) {
    show(answer, abort.signal.aborted ? 'Cancelled' : error.message, true)
  } finally {
    cancel.removeEventListener('click', stop)
    call.disabled = false
    cancel.hidden = true
    bar.hidden = true
  }
}

function show(answer, text, isError) {
  answer.textContent = text
  answer.classList.toggle('error', isError)
  answer.hidden = false
}

try {
  endpoint = await findEndpoint()
  const { tools } = await request(endpoint, 'tools/list')
  document.querySelector('#endpoint').textContent = endpoint.href
  list.append(...tools.map(card))
  state.textContent = `${tools.length} tools are ready`
} catch (error) {
  state.textContent = error.message
  state.classList.add('error')
}
