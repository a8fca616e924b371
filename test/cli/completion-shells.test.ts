/** The completion scripts, in the real shells, driven as a person drives them: by the Tab key. */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { completionScript, SHELLS } from '../../src/cli/completion-scripts.ts'
import {
  findProgram,
  installCli,
  type InstalledCli,
  openTerminal,
  type ShellSession,
  whyNot,
} from '../helpers/cli-shell.ts'

const exec = promisify(execFile)
/** Bound in bash and zsh to a command that shows the line being edited. */
const SHOW = '\u0018\u0010'
const KILL_LINE = '\u0015'

// Each Tab starts a program, and several shells run here.
vi.setConfig({ testTimeout: 60_000 })

let cli: InstalledCli
beforeAll(async () => {
  cli = await installCli()
  await mkdir(join(cli.dir, 'folder-one'))
})
afterAll(() => cli[Symbol.asyncDispose]())

/** Typed text, and the line after Tab. */
const CASES: readonly (readonly [string, string])[] = [
  ['ploinky sta', 'ploinky start '],
  ['ploinky enab', 'ploinky enable '],
  ['ploinky enable a', 'ploinky enable agent '],
  ['ploinky enable agent b', 'ploinky enable agent basic/tool '],
  ['ploinky logs d', 'ploinky logs demo '],
  ['ploinky logs --fol', 'ploinky logs --follow '],
  ['ploinky --json logs s', 'ploinky --json logs shell '],
  ['ploinky start --runtime dock', 'ploinky start --runtime docker '],
  ['ploinky start --runtime=dock', 'ploinky start --runtime=docker '],
  ['p-cli completion z', 'p-cli completion zsh '],
  ['ploinky --workspace fold', 'ploinky --workspace folder-one/'],
  ['ploinky --workspace=fold', 'ploinky --workspace=folder-one/'],
  ['ploinky --workspace /broken logs d', 'ploinky --workspace /broken logs d'],
  ['ploinky cli demo --fol', 'ploinky cli demo --fol'],
]

async function afterTab(session: ShellSession, text: string): Promise<string> {
  session.type(`${text}\t${SHOW}`)
  const [, line = ''] = await session.shown(/<<(.*)>>/)
  session.type(KILL_LINE)
  return line
}

describe.each([
  {
    shell: 'bash',
    args: ['--norc', '--noprofile', '-i'],
    bind: String.raw`bind -x '"\C-x\C-p": printf "\n<%s%s>\n" "<$READLINE_LINE" ">"'`,
  },
  {
    shell: 'zsh',
    args: ['-f', '-i'],
    bind: String.raw`show() { print -r -- $'\n<'"<$BUFFER>"'>' }; zle -N show; bindkey '^X^P' show; bindkey '^U' kill-whole-line`,
  },
])('$shell', async ({ shell, args, bind }) => {
  const reason = await whyNot(shell)

  it.skipIf(reason !== null)(`completes what is typed${reason === null ? '' : ` (skipped: ${reason})`}`, async () => {
    const session = await openTerminal(cli, findProgram(shell) ?? shell, args)
    try {
      session.type(`source <(ploinky completion ${shell}); ${bind}; echo rea''dy\r`)
      await session.shown(/\bready\b/)
      for (const [text, line] of CASES) expect(await afterTab(session, text), text).toBe(line)
    } finally {
      session.kill()
      await session.exit
    }
  })

  it.skipIf(reason !== null)('offers several candidates', async () => {
    const session = await openTerminal(cli, findProgram(shell) ?? shell, args)
    try {
      session.type(`source <(ploinky completion ${shell}); echo rea''dy\r`)
      await session.shown(/\bready\b/)
      session.type('ploinky completion \t\t')
      await session.shown(/bash[^]*fish[^]*zsh|bash[^]*zsh[^]*fish/)
    } finally {
      session.kill()
      await session.exit
    }
  })
})

describe('fish', async () => {
  const reason = findProgram('fish') === null ? 'fish is not installed' : null

  it.skipIf(reason !== null)(`completes what is typed${reason === null ? '' : ` (skipped: ${reason})`}`, async () => {
    const program = 'ploinky completion fish | source; for line in $argv; complete -C "$line"; echo "<end>"; end'
    const { stdout } = await exec('fish', ['--no-config', '-c', program, ...CASES.map(([text]) => text)], {
      env: cli.env,
      cwd: cli.dir,
    })
    const answers = stdout.split('<end>\n').slice(0, -1)
    expect(answers).toHaveLength(CASES.length)
    for (const [index, [text, line]] of CASES.entries()) {
      const [value = ''] = (answers[index] ?? '').split(/[\t\n]/)
      const word = text.slice(text.lastIndexOf(' ') + 1)
      const expected = line === text ? '' : line.slice(text.length - word.length).trimEnd()
      expect(value, text).toBe(expected)
    }
  })
})

describe('completionScript()', () => {
  it.each(SHELLS)('is valid %s', async (shell) => {
    const path = findProgram(shell)
    if (path === null) return expect(completionScript(shell)).toContain('__complete --')
    const args = shell === 'fish' ? ['--no-config', '--no-execute', '-c'] : ['-n', '-c']
    await expect(exec(path, [...args, completionScript(shell)])).resolves.toMatchObject({ stderr: '' })
  })
})
