/** What clients that know the Tasks extension say, and the answers that they get. */
type Json = Record<string, unknown>

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
/** `_meta` of a request of the stateless revision, of a client that knows tasks. */
export const TASKS_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { extensions: { [TASKS_EXTENSION]: {} } },
}

/** The result in an answer: its JSON, or the last event of its stream; undefined: there is none. */
export function lastResult(text: string): Json | undefined {
  const last =
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^data: /, '') ?? ''
  return (JSON.parse(last) as { result?: Json }).result
}
