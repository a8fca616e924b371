/** A client that draws what comes, as the page does: with the cells, keys and sizes of a real terminal. */
import type { Terminal } from '@xterm/headless'
import { loadTerminalLibrary } from '../../src/features/terminals/library.ts'
import type { TtyServerMessage } from '../../src/features/terminals/protocol.ts'
import { contentOf, difference, type Content } from './terminal-look.ts'
import { openTty, type TtyClient, type TtyClientOptions } from './tty-client.ts'
import { waitFor, type Workspace } from './workspace.ts'

/** Of the router by default. */
const SCROLLBACK = 10_000
const ARROWS = { up: 'A', down: 'B', right: 'C', left: 'D' } as const

export interface TtyScreen extends AsyncDisposable {
  readonly client: TtyClient
  readonly terminal: Terminal
  /** Lines in sight, without blanks at their ends. */
  lines(): string[]
  /** All that has come so far, drawn. */
  content(): Promise<Content>
  type(text: string): void
  /** As a page sends it: it depends on the mode that the program has chosen. */
  arrow(key: keyof typeof ARROWS): void
  /** This window has another size from now on. */
  resize(cols: number, rows: number): Promise<void>
  /** Waits until it is in sight. */
  shows(what: string | RegExp, timeoutMs?: number): Promise<void>
  /** Waits until the lines in sight pass. */
  until(what: string, check: (lines: string[]) => boolean): Promise<void>
}

export async function openScreen(
  workspace: Workspace,
  agent: string,
  options: TtyClientOptions = {},
): Promise<TtyScreen> {
  const library = await loadTerminalLibrary()
  const { cols = '80', rows = '24' } = options.query ?? {}
  const { terminal } = library.create({ cols: Number(cols), rows: Number(rows), scrollback: SCROLLBACK })
  const client = await openTty(workspace, agent, {
    ...options,
    onOutput: (bytes) => terminal.write(bytes),
    onMessage: (message) => follow(terminal, message),
  })
  const lines = (): string[] => {
    const { active } = terminal.buffer
    return Array.from({ length: terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true).trimEnd() ?? '') // prettier-ignore
  }
  const screen: TtyScreen = {
    client,
    terminal,
    lines,
    async content() {
      await drawn(terminal)
      return contentOf(terminal)
    },
    type: client.type,
    arrow: (key) => client.type(`\u001b${terminal.modes.applicationCursorKeysMode ? 'O' : '['}${ARROWS[key]}`),
    async resize(columns, height) {
      client.send({ type: 'resize', cols: columns, rows: height })
      await waitFor('the new size', () => (terminal.cols === columns && terminal.rows === height ? true : undefined))
    },
    shows: (what, timeoutMs) =>
      until(
        `${String(what)} on the screen`,
        (seen) => (typeof what === 'string' ? seen.join('\n').includes(what) : what.test(seen.join('\n'))),
        timeoutMs,
      ),
    until: (what, check) => until(what, check),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      terminal.dispose()
    },
  }
  async function until(what: string, check: (seen: string[]) => boolean, timeoutMs = 15_000): Promise<void> {
    try {
      await waitFor(what, () => (check(lines()) ? true : undefined), timeoutMs)
    } catch (error) {
      throw new Error(`Not seen: ${what}\n${lines().join('\n')}`, { cause: error })
    }
  }
  return screen
}

const drawn = (terminal: Terminal): Promise<void> => new Promise((resolve) => terminal.write('', resolve))

/** In the order of the output: what came before was written for the size before. */
function follow(terminal: Terminal, message: TtyServerMessage): void {
  const resize = (cols: number, rows: number): void => terminal.write('', () => terminal.resize(cols, rows))
  if (message.type === 'attached' || message.type === 'snapshot') terminal.write('\u001bc')
  if (message.type === 'attached') resize(message.session.cols, message.session.rows)
  if (message.type === 'size' || message.type === 'snapshot') resize(message.cols, message.rows)
}

/**
 * Null when somebody who joins now sees the same as one who was there from the beginning, else the difference. A program that
 * is just drawing is looked at again.
 */
export async function differenceWhenJoined(workspace: Workspace, screen: TtyScreen): Promise<unknown> {
  const { session } = await screen.client.message('attached')
  let found: unknown = 'not compared'
  for (let attempt = 0; attempt < 5 && found !== null; attempt += 1) {
    await using late = await openScreen(workspace, session.agent, { query: { session: session.id } })
    const attached = await late.client.message('attached')
    await waitFor('the whole snapshot', () => (late.client.received >= attached.snapshotBytes ? true : undefined))
    found = difference(await late.content(), await screen.content())
  }
  return found
}
