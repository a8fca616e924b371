import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { MCP_CLIENTS, type McpClient } from '../../../src/features/client/config/clients.ts'
import { diffOf, snippet, withEntry } from '../../../src/features/client/config/edit.ts'
import { CLIENT_IDS } from '../../../src/features/client/mcp-commands.ts'

const client = (id: string): McpClient => {
  const found = MCP_CLIENTS.find((item) => item.id === id)
  if (found === undefined) throw new Error(id)
  return found
}
const command = {
  file: '/usr/bin/node',
  args: ['/opt/ploinky.cjs', '--workspace', '/home/ada/two words', 'mcp', 'stdio'],
}
const entryFor = (id: string, name = 'ploinky') => ({ name, value: client(id).stdio(command), asked: null, file: 'f' })
const edit = (id: string, text: string, name?: string) => withEntry(text, client(id), entryFor(id, name))

test('the command line offers every client', () => {
  expect(CLIENT_IDS).toEqual(MCP_CLIENTS.map(({ id }) => id).sort())
})

test.each(MCP_CLIENTS.filter(({ format }) => format === 'json').map(({ id }) => id))(
  '%s: a new file, twice the same',
  (id) => {
    const text = edit(id, '')
    expect(parse(text)).toEqual({ [client(id).root]: { ploinky: client(id).stdio(command) } })
    expect(text.endsWith('\n')).toBe(true)
    expect(edit(id, text)).toBe(text)
    expect(parse(snippet(client(id), entryFor(id)))).toEqual(parse(text))
  },
)

const SETTINGS = `// My settings
{
\t"theme": "One Dark", // not the light one
\t/* servers */
\t"context_servers": {
\t\t// the first
\t\t"other": { "command": "other" },
\t},
\t"tab_size": 4,
}
`

test('comments, order, tabs and trailing commas of a file stay', () => {
  const text = edit('zed', SETTINGS)
  for (const part of ['// My settings', '// not the light one', '/* servers */', '// the first', '"tab_size": 4,'])
    expect(text).toContain(part)
  expect(text).toContain('\n\t\t"ploinky": {\n\t\t\t"source": "custom"')
  const value = parse(text, [], { allowTrailingComma: true }) as { context_servers: object }
  expect(Object.keys(value.context_servers)).toEqual(['other', 'ploinky'])
})

test('another command replaces the entry alone', () => {
  const before = edit('cursor', edit('cursor', '{\n    "mcpServers": {}\n}\n', 'first'))
  const entry = { name: 'ploinky', value: client('cursor').stdio({ file: 'npx', args: ['x'] }), asked: null, file: 'f' }
  const after = withEntry(before, client('cursor'), entry)
  expect(parse(after)).toMatchObject({ mcpServers: { first: { command: command.file }, ploinky: { command: 'npx' } } })
  expect(after).toContain('\n        "first"')
})

test('a value that VS Code asks for is added once, beside the others', () => {
  const { entry, asked } = client('vscode').http?.('http://127.0.0.1:8088/mcp') ?? { entry: {} }
  const wanted = { name: 'ploinky', value: entry, asked: asked ?? null, file: 'f' }
  const text = withEntry('{"inputs":[{"id":"mine","type":"promptString"}]}', client('vscode'), wanted)
  const ids = (parse(text) as { inputs: { id: string }[] }).inputs.map(({ id }) => id)
  expect(ids).toEqual(['mine', 'ploinky-token'])
  expect(parse(withEntry(text, client('vscode'), wanted))).toEqual(parse(text))
})

test.each(['{', '[1]', '"text"', '{"mcpServers": []}', '{"a": tru}'])('%s is not touched', (text) => {
  expect(() => edit('cursor', text)).toThrow(/"f" cannot be changed/)
})

test('Codex: a table at the end, once; what is written in another way is left to its owner', () => {
  const text = edit('codex', 'model = "x" # mine\n')
  expect(text).toMatch(/^model = "x" # mine\n\n\[mcp_servers\.ploinky\]\ncommand = "\/usr\/bin\/node"\nargs = \[/)
  expect(edit('codex', text)).toBe(text)
  expect(edit('codex', text, 'second')).toContain(`${text.trimEnd()}\n\n[mcp_servers.second]\n`)
  expect(() => edit('codex', '[mcp_servers.ploinky]\ncommand = "other"\n')).toThrow(/already/)
  expect(() => edit('codex', 'mcp_servers = {}\n')).toThrow(/as one value/)
})

test('goose is shown, not changed', () => {
  expect(snippet(client('goose'), entryFor('goose'))).toContain('    cmd: "/usr/bin/node"\n')
  expect(() => edit('goose', '')).toThrow(/by hand only/)
})

test('no form holds a token: each names where the client takes it from', () => {
  const forms = MCP_CLIENTS.flatMap(({ http }) =>
    http === null ? [] : [JSON.stringify(http('http://127.0.0.1:1/mcp'))],
  )
  expect(forms.length).toBeGreaterThan(4)
  for (const form of forms) expect(form).toMatch(/PLOINKY_TOKEN|input:ploinky-token/)
})

test('a diff shows the change and its surroundings', () => {
  const lines = Array.from({ length: 9 }, (_, index) => `line ${index}`)
  const before = `${lines.join('\n')}\n`
  expect(diffOf(before, before.replace('line 4\n', 'new\nmore\n'), 'f').split('\n')).toEqual([
    ...['--- f', '+++ f', '@@ -2,7 +2,8 @@'],
    ...[' line 1', ' line 2', ' line 3', '-line 4', '+new', '+more', ' line 5', ' line 6', ' line 7'],
  ])
  expect(diffOf('', 'a\n', 'f').split('\n')).toEqual(['--- /dev/null', '+++ f', '@@ -0,0 +1,1 @@', '+a'])
})

test('places of files by operating system', () => {
  const at = (id: string, platform: string) =>
    client(id).file({ platform, home: '/home/ada', env: { APPDATA: '/roaming' } })
  expect(at('claude-desktop', 'linux')).toBe('/home/ada/.config/Claude/claude_desktop_config.json')
  expect(at('claude-desktop', 'darwin')).toBe('/home/ada/Library/Application Support/Claude/claude_desktop_config.json')
  expect(at('vscode', 'win32')).toBe('/roaming/Code/User/mcp.json')
  expect(at('zed', 'darwin')).toBe('/home/ada/.config/zed/settings.json')
  expect(at('windsurf', 'linux')).toBe('/home/ada/.codeium/windsurf/mcp_config.json')
})
