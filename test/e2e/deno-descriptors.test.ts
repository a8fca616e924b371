/** On Deno: nothing is closed twice. The second close would hit the file or socket that has got the number meanwhile. */
import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkspace,
  isContainerEngine,
  platform,
  program,
  runtimeName,
  type Workspace,
} from '../helpers/workspace.ts'

const run = promisify(execFile)
/** Of the thread that runs JavaScript; what an engine's command closes is its own affair. */
const FAILED_CLOSES = ['-qq', '-e', 'trace=close', '-e', 'status=failed', '-e', 'signal=none']

describe.runIf(platform === 'deno' && isContainerEngine)('descriptors', () => {
  const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    const { code, stderr } = await workspace.run(['start', 'demo'])
    expect([code, stderr].join(' ')).toMatch(/^0/)
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it.skipIf(!canTrace).each([
    ['calls to the engine', ['doctor', '--json']],
    ['a program in a container', ['exec', 'demo', '--', 'true']],
  ])(`are closed once: %s${canTrace ? '' : ' (strace is not here, or may trace nothing)'}`, async (_name, args) => {
    const trace = join(workspace.dir, 'closes')
    await run('strace', [...FAILED_CLOSES, '-o', trace, ...program(args)], {
      cwd: workspace.dir,
      env: { ...process.env, CONTAINER_RUNTIME: runtimeName, PLOINKY_PORT: String(workspace.port) },
    })
    expect(await readFile(trace, 'utf8')).toBe('')
  })
})
