/** Where an agent runs, for every way in which somebody may have said so. */
import { describe, expect, it } from 'vitest'
import type { RuntimeId } from '../../../runtimes/adapter.ts'
import type { SettingSource } from '../../../src/config/settings.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { createRuntimeChooser } from '../../../src/features/agents/choose-runtime.ts'
import type { EnabledAgent, Runtimes } from '../../../src/features/agents/index.ts'

interface Given {
  usable: RuntimeId[]
  runtime?: string
  source?: SettingSource
  sandbox?: boolean
}

const agent = (change: Partial<EnabledAgent> = {}): EnabledAgent => ({
  ...{ name: 'a', repo: 'shop', agent: 'a', enabledAt: '', runtime: null, wanted: false },
  ...{ mode: { kind: 'isolated' }, profile: null },
  ...change,
})

function chooser({ usable, runtime = 'auto', source = 'default', sandbox = false }: Given) {
  const adapter = (id: RuntimeId) => ({ id, capabilities: { images: id === 'docker' || id === 'podman' } }) as never
  const runtimes: Runtimes = {
    use: async (id) => {
      if (usable.includes(id)) return adapter(id)
      throw new PloinkyError('RUNTIME_UNAVAILABLE', `${id} cannot be used: gone`, { hint: `Install ${id}` })
    },
    look: async () => expect.fail('not asked for'),
    firstEngine: async () => {
      const first = (['docker', 'podman'] as const).find((id) => usable.includes(id))
      return first === undefined ? null : adapter(first)
    },
    survey: async () => [],
    sweep: async () => {},
    dispose: async () => {},
  }
  return createRuntimeChooser({
    settings: { runtime },
    explained: [{ name: 'runtime', source }],
    sandbox: { enabled: sandbox, runtime: 'bwrap' },
    runtimes,
  })
}

const chosen = async (given: Given, item = agent(), liteSandbox = false): Promise<RuntimeId> =>
  (await chooser(given).choose({ agent: item, manifest: { liteSandbox } })).id

describe('without a word', () => {
  it('the engine where it ran, else the first one', async () => {
    expect(await chosen({ usable: ['docker', 'podman'] }, agent({ runtime: 'podman' }))).toBe('podman')
    expect(await chosen({ usable: ['docker'] }, agent({ runtime: 'podman' }))).toBe('docker')
  })

  it.each(['host', 'bwrap'] as const)('%s is not used again, for it was asked for', async (runtime) => {
    expect(await chosen({ usable: ['docker', 'host', 'bwrap'] }, agent({ runtime }))).toBe('docker')
  })

  it('no engine is an error, but for the demo', async () => {
    await expect(chosen({ usable: ['host', 'bwrap'] })).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
    const notices: string[] = []
    const demo = agent({ repo: 'builtin', agent: 'demo' })
    const notice = (text: string): void => void notices.push(text)
    const found = await chooser({ usable: ['host'] }).choose({ agent: demo, manifest: { liteSandbox: false }, notice })
    expect([found.id, notices.length]).toEqual(['host', 1])
  })
})

describe('an agent that asks for a sandbox', () => {
  const usable: RuntimeId[] = ['docker', 'podman', 'bwrap']

  it('gets it where the workspace opted in, and nowhere else', async () => {
    expect(await chosen({ usable, sandbox: true }, agent(), true)).toBe('bwrap')
    expect(await chosen({ usable, sandbox: true }, agent({ runtime: 'docker' }), true)).toBe('bwrap')
    expect(await chosen({ usable, sandbox: true }, agent(), false)).toBe('docker')
    expect(await chosen({ usable, sandbox: false }, agent(), true)).toBe('docker')
  })

  it('runs elsewhere only when that was typed', async () => {
    const given = (source: SettingSource): Given => ({ usable, sandbox: true, runtime: 'podman', source })
    expect(await chosen(given('flag'), agent(), true)).toBe('podman')
    for (const source of ['environment', 'workspace'] as const) {
      expect(await chosen(given(source), agent(), true)).toBe('bwrap')
      expect(await chosen(given(source), agent(), false)).toBe('podman')
    }
  })

  it('does not start where none can be made', async () => {
    const given: Given = { usable: ['docker', 'host'], sandbox: true }
    await expect(chosen(given, agent({ repo: 'builtin', agent: 'demo' }), true)).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: 'Agent "a" is to run in a sandbox here: bwrap cannot be used: gone',
      hint: 'Install bwrap; for containers from now on, run: ploinky sandbox disable',
    })
    expect(chooser(given).wanted({ liteSandbox: true })).toBe('bwrap')
    expect(chooser(given).wanted({ liteSandbox: false })).toBeNull()
  })
})
