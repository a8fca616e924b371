/** The opt-in: who decides, and what is told about it. */
import { expect, it } from 'vitest'
import type { Explained } from '../../../src/config/settings.ts'
import { createSandbox } from '../../../src/features/sandbox/index.ts'

interface Given {
  value?: boolean
  source?: Explained['source']
  env?: Record<string, string>
  usable?: boolean
}

function sandbox({ value = false, source = 'default', env = {}, usable = true }: Given = {}) {
  const explained: Explained = { name: 'sandbox', value, source, from: source, summary: '' }
  const names = ['lite', 'heavy', 'broken']
  return createSandbox({
    settings: { sandbox: value },
    explained: [explained],
    env,
    runtimes: {
      look: async (id: string) => ({
        ...{ id, displayName: 'Sandboxes' },
        detection: usable
          ? { available: true, version: '1', endpoint: '', rootless: true, notes: ['no limits'] }
          : { available: false, code: 'NOT_INSTALLED', message: 'not there', hint: 'Install it' },
      }),
    } as never,
    registry: { list: async () => names.map((name) => ({ name })) } as never,
    planner: {
      load: async ({ name }: { name: string }) => {
        if (name === 'broken') throw new Error('no manifest')
        return { manifest: { liteSandbox: name === 'lite' } }
      },
    } as never,
  })
}

it('is off until the workspace says so', () => {
  expect(sandbox().enabled).toBe(false)
  expect(sandbox({ value: true }).enabled).toBe(true)
})

it.each([
  ['1', false],
  ['true', false],
  ['anything', false],
  ['0', true],
  ['no', true],
  ['', true],
])('PLOINKY_DISABLE_HOST_SANDBOX=%j decides for every workspace', async (word, enabled) => {
  const made = sandbox({ value: true, source: 'workspace', env: { PLOINKY_DISABLE_HOST_SANDBOX: word } })
  expect(made.enabled).toBe(enabled)
  const from = enabled ? 'workspace' : 'PLOINKY_DISABLE_HOST_SANDBOX'
  expect(await made.state()).toMatchObject({ enabled, from })
})

it('tells who asks for it, and why it cannot be had', async () => {
  expect(await sandbox({ value: true, source: 'workspace' }).state()).toEqual({
    ...{ enabled: true, from: 'workspace', runtime: 'Sandboxes', usable: true, detail: '1', hint: null },
    ...{ notes: ['no limits'], agents: ['lite'] },
  })
  expect(await sandbox({ usable: false }).state()).toMatchObject({
    ...{ enabled: false, usable: false, detail: 'not there', hint: 'Install it', notes: [] },
  })
})

it('tells what was just set, unless the environment says otherwise', async () => {
  const set = { value: true, from: '.ploinky/config.json' }
  expect(await sandbox().state(set)).toMatchObject({ enabled: true, from: '.ploinky/config.json' })
  expect(await sandbox({ source: 'environment' }).state(set)).toMatchObject({ enabled: false, from: 'environment' })
})
