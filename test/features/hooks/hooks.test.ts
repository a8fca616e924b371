/** Commands of a repository on this machine: never without a person's word, and never more than what was allowed. */
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseManifest } from '../../../src/config/manifest/index.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { createConsents, createHookRunner, type HookContext } from '../../../src/features/hooks/index.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { createTerminal } from '../../../src/platform/terminal.ts'

let dir: string
let agentDir: string
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-hooks-')))
  agentDir = join(dir, 'repo/agent')
  await mkdir(agentDir, { recursive: true })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const platform = createPlatform(createTerminal())
const manifestOf = (source: object) => parseManifest(JSON.stringify(source), { file: '/m', profile: 'dev' })
const requestOf = (source: object, builtIn = false) => ({
  manifest: manifestOf(source),
  definition: {
    ...{ repo: 'repo', agent: 'agent', ref: 'repo/agent', builtIn, dir: agentDir, codeDir: agentDir },
    ...{ skillsDir: null, manifestFile: join(agentDir, 'manifest.json') },
  },
})

describe('consent', () => {
  const consents = () => createConsents({ store: createMemoryStore(), fs: platform.fs, hash: platform.hash })
  const yes = async (): Promise<boolean> => true
  const never = async (): Promise<boolean> => {
    throw new Error('nobody may be asked')
  }

  it('is asked for once, and shows the commands', async () => {
    const subject = consents()
    const questions: string[] = []
    const request = requestOf({ preinstall: 'echo\thi', hosthook_postinstall: 'true' })
    await expect(subject.assert(request)).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' })
    await subject.obtain([request, request], async (question) => questions.push(question) > 0)
    await subject.obtain([request], never)
    await subject.assert(request)
    expect(questions).toHaveLength(1)
    expect(questions[0]).toContain('repo/agent preinstall: echo\\thi')
    expect(questions[0]).toContain('repo/agent hosthook_postinstall: true')
  })

  it('is not needed for what runs in the container, nor for what ships with the package', async () => {
    await consents().obtain([requestOf({ install: 'x', postinstall: 'y' })], never)
    await consents().assert(requestOf({ preinstall: 'x' }, true))
  })

  it('ends when a line changes, or a script that a line names', async () => {
    const subject = consents()
    await writeFile(join(agentDir, 'pre.sh'), 'one')
    const request = requestOf({ preinstall: 'sh pre.sh' })
    await subject.obtain([request], yes)
    await subject.assert(request)
    await expect(subject.assert(requestOf({ preinstall: 'sh  pre.sh' }))).rejects.toMatchObject({
      code: 'CONFIRMATION_REQUIRED',
    })
    await writeFile(join(agentDir, 'pre.sh'), 'two')
    await expect(subject.assert(request)).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' })
  })

  it('a no starts nothing and is not remembered', async () => {
    const subject = consents()
    const request = requestOf({ preinstall: 'x' })
    await expect(subject.obtain([request], async () => false)).rejects.toMatchObject({ code: 'DENIED' })
    await expect(subject.assert(request)).rejects.toMatchObject({ code: 'CONFIRMATION_REQUIRED' })
  })
})

describe('on this machine', () => {
  const lines: string[] = []
  beforeEach(() => void lines.splice(0))
  const contextOf = (line: string, more: Partial<HookContext> = {}): HookContext => ({
    ...{ agent: 'agent', definition: requestOf({}).definition, name: 'preinstall' },
    ...{ hook: { line, path: 'preinstall' }, env: {}, progress: (text) => lines.push(text) },
    ...more,
  })
  const runner = () => createHookRunner({ platform, paths: workspacePaths(dir) })
  const runs = async (line: string, more?: Partial<HookContext>): Promise<void> => {
    await mkdir(join(dir, '.ploinky/logs'), { recursive: true })
    await runner().host(contextOf(line, more), dir)
  }

  it('runs in the folder given, with the agent’s variables and little else', async () => {
    const secret = process.env['PLOINKY_TEST_SECRET']
    process.env['PLOINKY_TEST_SECRET'] = 'of the operator'
    try {
      await runs('pwd; env | cut -d= -f1 | sort | tr "\\n" " "; echo "$A"', { env: { A: 'value of a' } })
    } finally {
      if (secret === undefined) delete process.env['PLOINKY_TEST_SECRET']
    }
    const text = lines.join('\n')
    expect(text).toContain(dir)
    expect(text).toContain('value of a')
    expect(text).toContain('PLOINKY_HOOK_TYPE')
    expect(text).not.toContain('PLOINKY_TEST_SECRET')
  })

  it('a line that is a file of the agent runs that file', async () => {
    await writeFile(join(agentDir, 'pre.sh'), 'echo from the file')
    await runs('pre.sh')
    expect(lines).toContain('preinstall: from the file')
  })

  it('a link out of the agent’s folder is no file of the agent', async () => {
    await writeFile(join(dir, 'outside.sh'), 'echo escaped')
    await symlink(join(dir, 'outside.sh'), join(agentDir, 'pre.sh'))
    await expect(runs('./pre.sh')).rejects.toMatchObject({ code: 'AGENT_FAILED' })
    expect(lines.join('\n')).not.toContain('escaped')
  })

  it('a failure names the command, its code and its last line; secrets stay out of words and log', async () => {
    const env = { TOKEN: new Secret('hunter2-hunter2') }
    const error: unknown = await runs('echo "token $TOKEN"; echo bad >&2; exit 3', { env }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'AGENT_FAILED' })
    expect(String(error)).toContain('preinstall of "agent" (preinstall: echo "token $TOKEN"; echo bad >&2; exit 3)')
    expect(String(error)).toContain('ended with code 3')
    const log = await readFile(join(dir, '.ploinky/logs/hooks-agent.log'), 'utf8')
    expect(log).toContain('token [redacted]')
    expect(log + JSON.stringify(error) + lines.join('')).not.toContain('hunter2')
  })

  it('ends when it is interrupted', async () => {
    const controller = new AbortController()
    const sleep = `sleep ${1_000_000 + process.pid}`
    const running = runs(`echo up; ${sleep}`, {
      signal: controller.signal,
      progress: (text) => {
        if (text === 'preinstall: up') controller.abort()
      },
    })
    await expect(running).rejects.toBeInstanceOf(Error)
    // What it had started is gone as well.
    const left = await platform.processes.run({ file: 'pgrep', args: ['-f', sleep] })
    expect(left.stdout).toBe('')
  })
})
