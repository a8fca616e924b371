/** The command line as a real program: in a terminal, behind pipes, with scripts on standard input. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { installCli, type InstalledCli, openTerminal, type ShellSession, whyNot } from '../helpers/cli-shell.ts'

vi.setConfig({ testTimeout: 60_000 })

let cli: InstalledCli
beforeAll(async () => {
  cli = await installCli()
})
afterAll(() => cli[Symbol.asyncDispose]())

/** Runs a line of the real shell, so that pipes are real too. */
function sh(line: string, stdin = ''): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', line], { env: cli.env, cwd: cli.dir })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.end(stdin)
  })
}

describe('the program in a pipe', () => {
  it('runs a script from standard input and stops where it fails', async () => {
    expect(await sh('ploinky', 'version\r\n# a comment\nlist agents --json\n')).toMatchObject({ code: 0, err: '' })
    const failed = await sh('ploinky', 'version\ncli demo\nversion')
    expect(failed).toEqual({ code: 7, out: '1.2.3\n', err: 'stopped at line 2 of the script (exit code 7)\n' })
  })

  it('says nothing when its reader goes away', async () => {
    // The reader ends before the first write; the shell reports the program's own exit code through a file.
    const { out, err } = await sh('(ploinky help; echo $? > code) | true; cat code')
    expect(err).toBe('')
    expect(out).toBe('0\n')
  })

  it('shows help for an empty input', async () => {
    expect((await sh('ploinky < /dev/null')).out).toMatch(/^Usage: ploinky/)
  })
})

describe('the program in a terminal', async () => {
  const reason = await whyNot('sh')
  const note = reason === null ? '' : ` (skipped: ${reason})`

  async function inTerminal(args: readonly string[], use: (session: ShellSession) => Promise<void>): Promise<void> {
    const session = await openTerminal(cli, join(cli.dir, 'ploinky'), args)
    try {
      await use(session)
    } finally {
      session.kill()
      await session.exit
    }
  }

  it.skipIf(reason !== null)(`is a prompt over the same commands${note}`, () =>
    inTerminal([], async (session) => {
      await session.shown(/"exit" leaves[^]*ploinky shop> /)
      // Keys that arrive together count as pasted text, in which Tab completes nothing.
      session.type('versi')
      await session.shown(/versi/)
      session.type('\t')
      await session.shown(/on /)
      session.type('\r')
      await session.shown(/1\.2\.3[^]*ploinky shop> /)
      session.type('frob\r')
      await session.shown(/Unknown command "frob"[^]*ploinky shop> /)
      session.type('half a line\u0003')
      await session.shown(/\^C[^]*ploinky shop> /)
      session.type('destroy\r')
      await session.shown(/Remove everything\? \[y\/N\] /)
      session.type('y\r')
      await session.shown(/removed[^]*yes[^]*ploinky shop> /)
      session.type('\u0010\u0010')
      await session.shown(/frob/)
      session.type('\u0015\u0004')
      expect(await session.exit).toBe(0)
    }),
  )

  it.skipIf(reason !== null)(`asks, and shows foreign text harmlessly${note}`, async () => {
    await inTerminal(['destroy'], async (session) => {
      await session.shown(/Remove everything\? \[y\/N\] /)
      session.type('\r')
      await session.shown(/removed[^]*no/)
      expect(await session.exit).toBe(0)
    })
    await inTerminal(['logs'], async (session) => {
      await session.shown(/\\x1b\]0;owned\\x07two red/)
      expect(await session.exit).toBe(0)
    })
  })
})
