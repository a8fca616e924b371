/**
 * MCP clients of this machine: where each keeps its servers, and in which form. Taken from their own documentation, as it
 * was in November 2026; the source stands at each. No entry holds a secret: a started command reads the credential from the
 * workspace, and over HTTP each client asks for it, or takes it from its environment, in its own way.
 */
import { join } from 'node:path'

export type Json = Record<string, unknown>

export interface Machine {
  readonly platform: string
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface CommandLine {
  readonly file: string
  readonly args: readonly string[]
}

/** A value that a client asks its user for, once (VS Code). */
export interface Asked {
  readonly id: string
  readonly value: Json
}

export interface McpClient {
  readonly id: string
  readonly title: string
  /** `yaml` is printed only: nothing here can change it and keep its comments. */
  readonly format: 'json' | 'toml' | 'yaml'
  /** The key that holds the servers. */
  readonly root: string
  /** The user's own file. */
  file(machine: Machine): string
  /** Below a project's root, where it may be committed; null when there is none. */
  readonly projectFile: string | null
  /** In a project's file: the folder of the project, where the client does not start its servers there. */
  readonly projectFolder: string | null
  stdio(command: CommandLine): Json
  /** Null where there is no way to keep the token out of the file. */
  readonly http: ((url: string) => { entry: Json; asked?: Asked }) | null
  /** The client's own command that does the same. */
  own?(name: string, command: CommandLine): readonly string[]
  /** What makes the client see the change. */
  readonly next: string
}

/** The variable that clients are told to take the token from. */
export const TOKEN_VARIABLE = 'PLOINKY_TOKEN'

const plain = ({ file, args }: CommandLine): Json => ({ command: file, args })
const bearer = (reference: string): Json => ({ Authorization: `Bearer ${reference}` })

/** Folder of settings of programs: `%APPDATA%`, `~/Library/Application Support`, `$XDG_CONFIG_HOME`. */
function settings({ platform, home, env }: Machine): string {
  if (platform === 'win32') return env['APPDATA'] ?? join(home, 'AppData/Roaming')
  return platform === 'darwin' ? join(home, 'Library/Application Support') : xdg({ platform, home, env })
}

const xdg = ({ home, env }: Machine): string => env['XDG_CONFIG_HOME'] || join(home, '.config')

export const MCP_CLIENTS: readonly McpClient[] = [
  {
    // https://modelcontextprotocol.io/docs/develop/connect-local-servers
    ...{ id: 'claude-desktop', title: 'Claude Desktop', format: 'json', root: 'mcpServers' },
    file: (machine) => join(settings(machine), 'Claude/claude_desktop_config.json'),
    ...{ projectFile: null, projectFolder: null, http: null },
    stdio: plain,
    next: 'Quit Claude Desktop and open it again',
  },
  {
    // https://code.claude.com/docs/en/mcp (scopes; "Environment variable expansion in .mcp.json")
    ...{ id: 'claude-code', title: 'Claude Code', format: 'json', root: 'mcpServers' },
    file: ({ home }) => join(home, '.claude.json'),
    ...{ projectFile: '.mcp.json', projectFolder: null },
    stdio: (command) => ({ type: 'stdio', ...plain(command) }),
    http: (url) => ({ entry: { type: 'http', url, headers: bearer(`\${${TOKEN_VARIABLE}}`) } }),
    own: (name, { file, args }) => ['claude', 'mcp', 'add', '--scope', 'user', name, '--', file, ...args],
    next: 'Start Claude Code again; /mcp shows the server',
  },
  {
    // https://cursor.com/docs/context/mcp (files; "Config interpolation": ${env:NAME}, ${workspaceFolder})
    ...{ id: 'cursor', title: 'Cursor', format: 'json', root: 'mcpServers' },
    file: ({ home }) => join(home, '.cursor/mcp.json'),
    ...{ projectFile: '.cursor/mcp.json', projectFolder: '${workspaceFolder}' },
    stdio: plain,
    http: (url) => ({ entry: { url, headers: bearer(`\${env:${TOKEN_VARIABLE}}`) } }),
    next: 'Turn the server on in Customize, MCPs',
  },
  {
    // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration (servers, inputs, ${workspaceFolder})
    ...{ id: 'vscode', title: 'VS Code', format: 'json', root: 'servers' },
    file: (machine) => join(settings(machine), 'Code/User/mcp.json'),
    ...{ projectFile: '.vscode/mcp.json', projectFolder: '${workspaceFolder}' },
    stdio: (command) => ({ type: 'stdio', ...plain(command) }),
    http: (url) => ({
      entry: { type: 'http', url, headers: bearer('${input:ploinky-token}') },
      asked: {
        id: 'ploinky-token',
        value: {
          type: 'promptString',
          id: 'ploinky-token',
          description: 'What "ploinky token" prints',
          password: true,
        },
      },
    }),
    next: 'Start the server with the command "MCP: List Servers"',
  },
  {
    // https://docs.windsurf.com/windsurf/cascade/mcp (mcp_config.json: serverUrl; ${env:NAME} in headers)
    ...{ id: 'windsurf', title: 'Windsurf', format: 'json', root: 'mcpServers' },
    file: ({ home }) => join(home, '.codeium/windsurf/mcp_config.json'),
    ...{ projectFile: null, projectFolder: null },
    stdio: plain,
    http: (url) => ({ entry: { serverUrl: url, headers: bearer(`\${env:${TOKEN_VARIABLE}}`) } }),
    next: 'Refresh the servers in the MCP panel of Cascade',
  },
  {
    // https://zed.dev/docs/ai/mcp and https://zed.dev/docs/configuring-zed (places of settings.json); headers are plain text
    ...{ id: 'zed', title: 'Zed', format: 'json', root: 'context_servers' },
    file: (machine) =>
      machine.platform === 'win32'
        ? join(settings(machine), 'Zed/settings.json')
        : join(xdg(machine), 'zed/settings.json'),
    ...{ projectFile: '.zed/settings.json', projectFolder: null, http: null },
    stdio: (command) => ({ source: 'custom', ...plain(command), env: {} }),
    next: 'The settings of the agent panel show the server',
  },
  {
    // https://developers.openai.com/codex/mcp (config.toml: mcp_servers, bearer_token_env_var; codex mcp add)
    ...{ id: 'codex', title: 'Codex', format: 'toml', root: 'mcp_servers' },
    file: ({ home, env }) => join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml'),
    ...{ projectFile: '.codex/config.toml', projectFolder: null },
    stdio: plain,
    http: (url) => ({ entry: { url, bearer_token_env_var: TOKEN_VARIABLE } }),
    own: (name, { file, args }) => ['codex', 'mcp', 'add', name, '--', file, ...args],
    next: 'Start Codex again; /mcp shows the server',
  },
  {
    // https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md and docs/cli/configuration.md ($NAME)
    ...{ id: 'gemini-cli', title: 'Gemini CLI', format: 'json', root: 'mcpServers' },
    file: ({ home }) => join(home, '.gemini/settings.json'),
    ...{ projectFile: '.gemini/settings.json', projectFolder: null },
    stdio: plain,
    http: (url) => ({ entry: { httpUrl: url, headers: bearer(`$${TOKEN_VARIABLE}`) } }),
    next: 'Start Gemini CLI again; /mcp shows the server',
  },
  {
    // https://block.github.io/goose/docs/guides/config-files (extensions: type, cmd, args, envs, timeout)
    ...{ id: 'goose', title: 'goose', format: 'yaml', root: 'extensions' },
    file: (machine) =>
      machine.platform === 'win32'
        ? join(settings(machine), 'Block/goose/config/config.yaml')
        : join(xdg(machine), 'goose/config.yaml'),
    ...{ projectFile: null, projectFolder: null, http: null },
    stdio: ({ file, args }) => ({ enabled: true, type: 'stdio', cmd: file, args, envs: {}, timeout: 300 }),
    next: 'Begin a new session of goose',
  },
]
