/** Real programs for tests of the command line: it installed as `ploinky` in a folder, and shells in a real terminal. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { loadPty } from '../../src/platform/pty.ts'

const DEADLINE_MS = 15_000

export interface InstalledCli extends AsyncDisposable {
  /** Has `ploinky` in it. */
  readonly dir: string
  readonly env: Record<string, string>
}

/** Builds `cli-program.ts` and puts it on a PATH of its own. */
export async function installCli(): Promise<InstalledCli> {
  const dir = await mkdtemp(join(tmpdir(), 'ploinky-test-cli-'))
  const bundle = join(dir, 'program.mjs')
  const entry = fileURLToPath(new URL('./cli-program.ts', import.meta.url))
  await build({
    entryPoints: [entry],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  })
  for (const name of ['ploinky', 'p-cli']) {
    await writeFile(join(dir, name), `#!/bin/sh\nexec "${process.execPath}" "${bundle}" "$@"\n`)
    await chmod(join(dir, name), 0o755)
  }
  const env = { PATH: `${dir}${delimiter}${process.env['PATH'] ?? ''}`, HOME: dir, TERM: 'xterm', LANG: 'C.UTF-8' }
  return { dir, env, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

export function findProgram(name: string): string | null {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(dir, name), constants.X_OK)
      return join(dir, name)
    } catch {
      // Not in this folder.
    }
  }
  return null
}

/** Why a shell cannot be tested here, or null. */
export async function whyNot(shell: string): Promise<string | null> {
  if (findProgram(shell) === null) return `${shell} is not installed`
  return (await loadPty()) === null ? 'no pseudo-terminal library' : null
}

export interface ShellSession {
  /** Types keys. */
  type(keys: string): void
  /** What was shown since the last wait, once it matches; fails after a deadline with what was shown. */
  shown(pattern: RegExp): Promise<RegExpExecArray>
  exit: Promise<number>
  kill(): void
}

/** A program in a real terminal of 100 columns. */
export async function openTerminal(cli: InstalledCli, file: string, args: readonly string[]): Promise<ShellSession> {
  const pty = await loadPty()
  if (pty === null) throw new Error('no pseudo-terminal library')
  const session = pty({ file, args, cwd: cli.dir, env: cli.env }, { cols: 100, rows: 40 })
  let text = ''
  let changed: () => void = () => {}
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of session.output) {
      text += decoder.decode(chunk, { stream: true })
      changed()
    }
  })()
  return {
    type: (keys) => session.write(new TextEncoder().encode(keys)),
    async shown(pattern) {
      const deadline = Date.now() + DEADLINE_MS
      for (;;) {
        const match = pattern.exec(text)
        if (match !== null) {
          text = text.slice(match.index + match[0].length)
          return match
        }
        const left = deadline - Date.now()
        if (left <= 0) throw new Error(`Never shown: ${String(pattern)} in ${JSON.stringify(text)}`)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left)
          changed = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    },
    exit: session.exit,
    kill: () => session.kill('SIGKILL'),
  }
}
