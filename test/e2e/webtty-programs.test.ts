/**
 * Real programs in a terminal: in containers those of busybox, on the host vim, less, top and tmux where they are installed.
 * After each step, somebody who joins then must see what is seen by one who was there from the beginning.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { difference } from '../helpers/terminal-look.ts'
import { differenceWhenJoined, openScreen, type TtyScreen } from '../helpers/tty-screen.ts'
import { createWorkspace, isContainerEngine, runtimeName, type Workspace } from '../helpers/workspace.ts'

const WIDE = '日本語 🙂 e\u0301 👍🏽 wörter'
let workspace: Workspace
let screen: TtyScreen

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['start', 'demo', '--runtime', runtimeName])
}, 240_000)
afterEach(async () => {
  await screen?.[Symbol.asyncDispose]()
  const open = (await (await workspace.fetch('/api/v1/terminals')).json()) as { id: string }[]
  for (const { id } of open) await workspace.fetch(`/api/v1/terminals/${id}`, { method: 'DELETE' })
}, 60_000)
afterAll(async () => await workspace?.[Symbol.asyncDispose](), 120_000)

/** Containers of the tests have busybox; a host has what it has. */
function has(program: string): boolean {
  if (isContainerEngine) return ['vi', 'less', 'top'].includes(program)
  try {
    execFileSync('sh', ['-c', `command -v ${program}`])
    return true
  } catch {
    return false
  }
}

const sameWhenJoined = async (): Promise<void> => expect(await differenceWhenJoined(workspace, screen)).toBeNull()

/** A shell whose screen holds a line that must still be there after a full-screen program. */
async function shell(): Promise<void> {
  screen = await openScreen(workspace, 'demo', { query: { command: 'shell', cols: '80', rows: '24' } })
  await screen.client.message('attached')
  await screen.shows(/[#$]$/m)
  // Editors keep what they remember in the home folder.
  const home = isContainerEngine ? '/tmp' : workspace.dir
  screen.type(`export HOME=${home}; cd; PS1='ready$ '; echo be''fore\r`)
  await screen.until('the prompt below "before"', (lines) => lines.some((line) => line === 'before') && atPrompt(lines))
}

const atPrompt = (lines: string[]): boolean => lines.findLast((line) => line !== '') === 'ready$'
const isAlternate = (): boolean => screen.terminal.buffer.active.type === 'alternate'

async function backInShell(): Promise<void> {
  await screen.until('the shell as it was', (lines) => lines.includes('before') && atPrompt(lines))
  expect(isAlternate()).toBe(false)
}

describe('an editor', { timeout: 90_000 }, () => {
  test.runIf(has('vi'))('vi opens, edits, follows the window, and leaves the screen as it was', async () => {
    await shell()
    screen.type(`seq 1 100 >file; echo '${WIDE}' >>file; stty size\r`)
    await screen.shows('24 80')
    const before = screen.lines().filter((line) => line !== '')
    screen.type('vi file\r')
    await screen.until('the beginning of the file', (lines) => lines[0] === '1' && lines[22] === '23')
    expect(isAlternate()).toBe(true)
    await sameWhenJoined()

    screen.arrow('down')
    screen.arrow('down')
    screen.arrow('right')
    screen.type('iedited \u001b')
    await screen.until('the edited line', (lines) => (lines[2] ?? '').includes('edited'))
    await sameWhenJoined()

    await screen.resize(100, 30)
    await screen.until('more lines of the file', (lines) => lines.length === 30 && lines[28] === '29')
    await sameWhenJoined()
    await screen.resize(60, 12)
    await screen.until('fewer lines', (lines) => lines.length === 12 && (lines[2] ?? '').includes('edited'))
    await screen.resize(80, 24)
    await screen.until('as many as before', (lines) => lines[22] === '23')

    // A page forwards, and back.
    screen.type('\u0006')
    await screen.until('the next page', (lines) => !lines.includes('1') && lines.includes('30'))
    screen.type('\u0002')
    await screen.until('the first page', (lines) => lines[0] === '1')
    screen.type('G')
    await screen.shows('wörter')
    await sameWhenJoined()

    screen.type(':wq\r')
    await backInShell()
    const after = screen.lines().filter((line) => line !== '')
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
    screen.type('clear; grep edited file\r')
    await screen.shows(/^edited 3$|^3edited $|^edited 3/m)
    await sameWhenJoined()
  })

  test.runIf(has('vim'))('vim with colours, a split window and the mouse looks the same to who joins', async () => {
    await shell()
    screen.type(`printf 'int main() { return 0; } // ${WIDE}\\n%.0s' 1 2 3 4 5 >main.c; vim -u NONE -N main.c\r`)
    await screen.shows('int main')
    screen.type(':syntax on | set number mouse=a cursorline incsearch hlsearch termguicolors\r')
    screen.type(':split | split\r')
    screen.type('/return\r')
    await screen.shows('/return')
    await sameWhenJoined()
    expect(screen.terminal.modes.mouseTrackingMode).not.toBe('none')
    expect(screen.terminal.modes.bracketedPasteMode).toBe(true)

    // In the middle of an insertion, with arrows of the mode that vim has chosen.
    expect(screen.terminal.modes.applicationCursorKeysMode).toBe(true)
    screen.type('ggI')
    screen.arrow('down')
    screen.type('below ')
    await screen.until('the insertion', (lines) => lines.some((line) => line.includes('2 below ')))
    await sameWhenJoined()
    await screen.resize(50, 18)
    await screen.shows('below')
    await sameWhenJoined()
    screen.type('\u001b:qa!\r')
    await backInShell()
    expect(screen.terminal.modes.mouseTrackingMode).toBe('none')
    await sameWhenJoined()
  })
})

describe('a pager', { timeout: 90_000 }, () => {
  test.runIf(has('less'))('less pages, searches, follows the window, and ends', async () => {
    await shell()
    screen.type(`seq 1 400 | sed 's/$/ ${WIDE}/' >long; less long\r`)
    await screen.until('the first page', (lines) => (lines[0] ?? '').startsWith('1 ') && lines.some((line) => line.startsWith('23 '))) // prettier-ignore
    await sameWhenJoined()
    screen.type(' ')
    await screen.until('the next page', (lines) => lines.some((line) => line.startsWith('40 ')))
    screen.type('b')
    await screen.until('the page before', (lines) => (lines[0] ?? '').startsWith('1 '))
    screen.arrow('down')
    await screen.until('a line further', (lines) => (lines[0] ?? '').startsWith('2 '))
    screen.type('/^200 \r')
    await screen.until('the line that was looked for', (lines) => lines.some((line) => line.startsWith('200 ')))
    await sameWhenJoined()
    await screen.resize(70, 15)
    screen.type('g')
    await screen.until('the first page of a small window', (lines) => (lines[0] ?? '').startsWith('1 ') && lines.length === 15) // prettier-ignore
    await sameWhenJoined()
    screen.type('q')
    await screen.until('the prompt', atPrompt)
    await sameWhenJoined()
  })
})

describe('a program that draws by itself', { timeout: 90_000 }, () => {
  test.runIf(has('top'))('top goes on, follows the window, and ends with Ctrl-C', async () => {
    await shell()
    screen.type('top -d 1\r')
    await screen.shows(/PID/)
    await screen.resize(120, 40)
    await screen.until('more lines', (lines) => lines.length === 40 && lines.some((line) => line.includes('PID')))
    await sameWhenJoined()
    const first = screen.client.received
    await screen.until('it draws again', () => screen.client.received > first)
    screen.type('\u0003')
    await screen.until('the prompt', atPrompt)
    await sameWhenJoined()
  })

  test.runIf(has('tmux'))('tmux in panes, with a status line, looks the same to who joins', async () => {
    await shell()
    screen.type(`tmux -L ploinky-test -f /dev/null new sh \\; split-window -h "PS1='right$ ' exec sh"\r`)
    await screen.until('two panes', (lines) => lines.some((line) => line.endsWith('│right$')))
    screen.type(`printf '${WIDE}\\n\\033[31mred\\033[0m\\n'; seq 101 150\r`)
    await screen.until('all of the output', (lines) => lines.some((line) => line.endsWith('│150')))
    await sameWhenJoined()
    await screen.resize(100, 30)
    await screen.until('a status line below', (lines) => (lines[29] ?? '').startsWith('[0]'))
    await sameWhenJoined()
    screen.type('\u0002:')
    await screen.until('its prompt', (lines) => lines.at(-1) === ':')
    screen.type('kill-server\r')
    await backInShell()
    await sameWhenJoined()
  })
})

describe('a shell', { timeout: 90_000 }, () => {
  test('draws wide characters and emoji at the edge, and lines that wrap', async () => {
    await shell()
    screen.type(
      `clear; i=0; while [ $i -lt 9 ]; do printf '%s' 'x${WIDE} '; i=$((i+1)); done; echo; printf '%079d語\\n' 7; echo do''ne\r`,
    )
    await screen.until('all of it', (lines) => lines.includes('done') && lines.some((line) => line.startsWith('語')))
    await sameWhenJoined()
    await screen.resize(41, 20)
    await screen.shows('done')
    await screen.resize(90, 24)
    await sameWhenJoined()
  })

  test('Ctrl-C ends a program at once, and its arrows are those of the chosen mode', async () => {
    await shell()
    screen.type('sleep 1000\r')
    await screen.shows('sleep 1000')
    screen.type('\u0003')
    await screen.until('the prompt', atPrompt)
    screen.type("clear; printf '\\033[?1h'; stty -echo; cat -v\r")
    await screen.until('the mode', () => screen.terminal.modes.applicationCursorKeysMode)
    await sameWhenJoined()
    screen.arrow('up')
    screen.type('\r')
    await screen.shows('^[OA')
    screen.type('\u0003')
    // What is typed before it has ended is lost with it.
    await screen.until('the prompt below', (lines) => lines.indexOf('^[OA') < lines.indexOf('ready$'))
    screen.type("printf '\\033[?1l'; stty echo; echo o''ver\r")
    await screen.shows('over')
    await sameWhenJoined()
  })

  test('what a program has prepared still works for who joins in between', async () => {
    await shell()
    const steps = [
      // A region that scrolls, with its own origin; then text in it.
      ['\\033[2J\\033[5;10r\\033[?6h\\033[1;1Hregion', '\\r\\nmore\\r\\nlines\\r\\nin\\r\\nthe\\r\\nregion\\r\\nonly'],
      // Lines are drawn with letters.
      ['\\033[?6l\\033[r\\033[2J\\033[1;1H\\033(0', 'lqqqk\\r\\nx   x\\r\\nmqqqj'],
      ['\\033(B\\033[2J\\033[1;1H\\033)0\\016', 'lqqqk\\017 plain'],
      // Tab stops of its own.
      ['\\033[2J\\033[1;1H\\033[3g\\033[1;5H\\033H\\033[1;33H\\033H\\033[1;1H', 'a\\tb\\tc\\td'],
      // A place and colours that were put aside.
      ['\\033[3;7H\\033[1;31m\\0337\\033[0m\\033[20;1H', '\\0338here'],
      // Insertion, no wrapping, colours that are erased with.
      ['\\033[0m\\033[2J\\033[1;1Hbehind\\033[1;1H\\033[4h\\033[44m', 'before \\033[K'],
      ['\\033[4l\\033[0m\\033[?7l\\033[2;70H', '0123456789abcdef'],
    ] as const
    for (const [index, [prepared, then]] of steps.entries()) {
      const [first, second] = [`st${index}a`, `st${index}b`]
      screen.type(`printf '${prepared}\\033]2;${first}\\007'; read x; printf '${then}\\033]2;${second}\\007'; read x\r`)
      await titled(first)
      const { session } = await screen.client.message('attached')
      await using late = await openScreen(workspace, 'demo', { query: { session: session.id } })
      await late.client.message('attached')
      screen.type('\r')
      await titled(second)
      await late.client.message('session', (message) => message.session.title === second)
      expect({ step: index, found: difference(await late.content(), await screen.content()) }).toMatchObject({ found: null }) // prettier-ignore
      screen.type('\r')
    }
  })

  const titled = (title: string) => screen.client.message('session', ({ session }) => session.title === title)
})
