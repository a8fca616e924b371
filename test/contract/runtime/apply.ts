/** `apply`: one way to create, repeated without effect, replaced on any change. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { failure, toArray, type Scope, type SpecOverrides } from './kit.ts'

/** Text that breaks careless quoting, splitting and templating. */
const AWKWARD = {
  commas: 'a,b,,c',
  quotes: `"double" 'single' \`back\``,
  unicode: 'žluťoučký kůň 🦀 日本',
  newlines: 'first\nsecond\r\nthird\n',
  equals: '=a=b==',
  spaces: '  leading and trailing  ',
  template: '{{.ID}} ${HOME} $(id) %s %%',
  backslash: 'C:\\new\\table\\',
  json: '{"a":["b",{"c":null}]}',
  dashes: '--rm -v /:/host',
  empty: '',
}

/** Every character of ASCII but NUL, which no environment can hold. */
const ALL_ASCII = String.fromCharCode(...Array.from({ length: 127 }, (_, i) => i + 1))

export function applyCases(contract: Contract): void {
  creation(contract)
  changes(contract)
  awkwardText(contract)
  images(contract)
  refusals(contract)
}

function creation(contract: Contract): void {
  contract('apply creates an instance that runs and describes itself', async ({ adapter, spec, workspace }) => {
    const wanted = spec({ agent: 'describe', labels: { 'ploinky.extra': 'yes' } })
    const { outcome, workload } = await adapter.apply(wanted)
    expect(outcome).toBe('created')
    expect(workload).toMatchObject({
      name: wanted.name,
      workspace,
      agent: 'describe',
      state: 'running',
      exitCode: null,
      oomKilled: false,
      finishedAt: null,
    })
    expect(workload.labels).toMatchObject({ 'ploinky.extra': 'yes' })
    expect(workload.id).not.toBe('')
    expect(workload.spec).toMatch(/^[0-9a-f]{16,}$/)
    expect(Math.abs(Date.parse(workload.startedAt ?? '') - Date.now())).toBeLessThan(10 * 60_000)
    expect(await adapter.inspect(wanted.name)).toEqual(workload)
    expect(await adapter.list({ workspace })).toEqual([workload])
  })

  contract('apply of the same spec changes nothing', async ({ adapter, spec, sees }) => {
    const wanted = spec({ env: { A: '1', B: '2' }, labels: { x: '1' } })
    const first = await adapter.apply(wanted)
    await sees(wanted.name, 'up')
    const second = await adapter.apply({ ...wanted, env: { B: '2', A: '1' } })
    expect(second.outcome).toBe('unchanged')
    expect(second.workload).toEqual(first.workload)
  })

  contract('apply of a stopped instance starts it again', async ({ adapter, spec, workspace }) => {
    const wanted = spec()
    await adapter.apply(wanted)
    await adapter.stop(wanted.name)
    const again = await adapter.apply(wanted)
    expect(again.outcome).toBe('started')
    expect(again.workload.state).toBe('running')
    expect(again.workload.exitCode).toBeNull()
    expect(await adapter.list({ workspace })).toHaveLength(1)
  })

  contract('concurrent applies of one spec agree on one instance', async (t) => {
    const wanted = t.spec()
    const other = await t.otherAdapter()
    const outcomes = await Promise.all([t.adapter, other, t.adapter, other].map((adapter) => adapter.apply(wanted)))
    expect(new Set(outcomes.map(({ workload }) => workload.id)).size).toBe(1)
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
    const listed = await t.adapter.list({ workspace: t.workspace })
    expect(listed.map(({ id, state }) => [id, state])).toEqual([[outcomes[0]?.workload.id, 'running']])
  })
}

function changes(contract: Contract): void {
  const replaced = (what: string, change: (t: Scope) => Promise<SpecOverrides> | SpecOverrides): void => {
    contract(`a change of ${what} replaces the instance`, async (t) => {
      const before = await t.start()
      const wanted = t.spec(await change(t))
      const { outcome, workload } = await t.adapter.apply(wanted)
      expect(outcome).toBe('replaced')
      expect(workload.state).toBe('running')
      expect(workload.id).not.toBe(before.id)
      expect(workload.spec).not.toBe(before.spec)
      expect(await t.adapter.list({ workspace: t.workspace })).toHaveLength(1)
      expect((await t.adapter.apply(wanted)).outcome).toBe('unchanged')
    })
  }
  replaced('image', ({ target }) => ({ image: target.images?.node ?? null }))
  replaced('command', () => ({ command: programs.stubborn() }))
  replaced('env', () => ({ env: { ADDED: '1' } }))
  replaced('a secret', () => ({ env: { ADDED: new Secret('s3cret') } }))
  replaced('port', () => ({ ports: [{ container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' }] }))
  replaced('volume', async ({ folder }) => {
    const source = join(folder, 'volume')
    await mkdir(source, { mode: 0o755 })
    return { mounts: [{ source, target: '/data', readOnly: true }] }
  })
  replaced('security', (t) => ({ security: { ...t.spec().security, readOnlyRoot: true } }))
  replaced('limits', () => ({ limits: { pids: 100, memoryBytes: null, cpus: null } }))
  replaced('labels', () => ({ labels: { changed: 'yes' } }))
}

function awkwardText(contract: Contract): void {
  contract('labels keep commas, quotes, unicode and newlines', async ({ adapter, spec, workspace }) => {
    const labels = Object.fromEntries(Object.entries(AWKWARD).map(([key, text]) => [`ploinky.test.${key}`, text]))
    const wanted = spec({ labels })
    const { workload } = await adapter.apply(wanted)
    expect(workload.labels).toMatchObject(labels)
    expect((await adapter.list({ workspace }))[0]?.labels).toMatchObject(labels)
    expect((await adapter.apply(wanted)).outcome).toBe('unchanged')
  })

  contract('env values keep every awkward byte', async ({ adapter, spec, logs, reaches }) => {
    const values = { ...AWKWARD, ascii: ALL_ASCII.replaceAll('\n', ''), secret: new Secret(`s3cret, "${ALL_ASCII}"`) }
    const names = Object.keys(values).map((name) => `T_${name.toUpperCase()}`)
    const env = Object.fromEntries(Object.entries(values).map(([key, text]) => [`T_${key.toUpperCase()}`, text]))
    const wanted = spec({ env, command: programs.idle() })
    await adapter.apply(wanted)
    await reaches(wanted.name, 'running')
    // The environment of an instance is also that of programs started in it; asked that way, every byte can be compared.
    const session = await adapter.exec(wanted.name, programs.shows(...names))
    const chunks: Buffer[] = []
    for await (const chunk of session.stdout) chunks.push(Buffer.from(chunk))
    expect(await session.exit).toBe(0)
    const shown = Buffer.concat(chunks).toString('utf8').split('\0').slice(0, -1)
    expect(shown).toEqual(Object.values(values).map((value) => (typeof value === 'string' ? value : value.reveal())))
    expect((await logs(wanted.name)).map(({ text }) => text).join('\n')).not.toContain('s3cret')
  })

  contract('env names that steer the engine itself reach only the program', async ({ adapter, spec, exec }) => {
    const env = {
      DOCKER_HOST: 'tcp://127.0.0.1:1',
      DOCKER_CONTEXT: 'nowhere',
      CONTAINER_HOST: 'tcp://127.0.0.1:1',
      XDG_RUNTIME_DIR: '/nowhere/run',
      XDG_CONFIG_HOME: '/nowhere/config',
      TMPDIR: '/nowhere/tmp',
      HOME: '/nowhere/home',
    }
    const wanted = spec({ env })
    expect((await adapter.apply(wanted)).workload.state).toBe('running')
    const shown = await exec(wanted.name, programs.shows(...Object.keys(env)))
    expect(shown.stdout.split('\0').slice(0, -1)).toEqual(Object.values(env))
  })

  contract('a NUL in a value is refused', async ({ adapter, spec, workspace }) => {
    await failure(adapter.apply(spec({ env: { BAD: 'a\0b' } })), 'CONFIG_INVALID', 'NAME_INVALID', 'MANIFEST_INVALID')
    expect(await adapter.list({ workspace })).toEqual([])
  })
}

function images(contract: Contract): void {
  contract('with checkImage, other content behind the reference replaces the instance', async (t) => {
    const { small = '', node = '' } = t.target.images ?? {}
    const reference = `localhost/ploinky-test/${t.workspace}:1`
    await t.target.tag(small, reference)
    // After the instances: docker keeps the name of an image that is in use.
    const before = await t.start({ image: reference })
    t.defer(() => t.adapter.remove(before.name).then(() => t.target.untag(reference)))
    const wanted = t.spec({ image: reference })
    expect((await t.adapter.apply(wanted, { checkImage: true })).outcome).toBe('unchanged')
    await t.target.tag(node, reference)
    expect((await t.adapter.apply(wanted)).outcome).toBe('unchanged')
    const { outcome, workload } = await t.adapter.apply(wanted, { checkImage: true })
    expect(outcome).toBe('replaced')
    expect(workload.imageId).not.toBe(before.imageId)
    expect((await t.adapter.apply(wanted, { checkImage: true })).outcome).toBe('unchanged')
  })

  contract('an image that is here is found, with progress that ends', async ({ adapter, target }) => {
    const progress = adapter.ensureImage(target.images?.small ?? 'none', 'missing')
    let last = await progress.next()
    let seen = 0
    let done = false
    while (last.done !== true) {
      seen += 1
      done = last.value.done
      last = await progress.next()
    }
    expect(seen).toBeGreaterThan(0)
    expect(done).toBe(true)
    expect(last.value.id).not.toBe('')
  })

  contract('a missing image is IMAGE_NOT_FOUND and leaves nothing', async ({ adapter, spec, target, workspace }) => {
    const image = target.missingImage
    const error = await failure(adapter.apply(spec({ image })), 'IMAGE_NOT_FOUND')
    expect(error.hint).toBeTruthy()
    expect(error.message).toContain(image)
    await failure(toArray(adapter.ensureImage(image, 'never')), 'IMAGE_NOT_FOUND')
    await failure(toArray(adapter.ensureImage(image, 'missing')), 'IMAGE_NOT_FOUND')
    expect(await adapter.list({ workspace })).toEqual([])
  })
}

function refusals(contract: Contract): void {
  contract(
    'a program that does not exist is an error and leaves nothing running',
    async ({ adapter, spec, workspace }) => {
      const wanted = spec({ command: ['/no/such/program', '--flag'] })
      // An init in between only sees the failure when it runs: then the instance has ended, with the init's own code.
      const started = await adapter.apply(wanted).then(
        ({ workload }) => workload.name,
        () => null,
      )
      if (started === null) {
        expect(await adapter.list({ workspace })).toEqual([])
        return
      }
      let seen = await adapter.inspect(wanted.name)
      const deadline = Date.now() + 60_000
      while (seen?.state === 'running' && Date.now() < deadline) seen = await adapter.inspect(wanted.name)
      expect(seen?.state).toBe('stopped')
      expect([1, 126, 127]).toContain(seen?.exitCode)
    },
  )

  contract('an aborted apply is INTERRUPTED and can be repeated', async ({ adapter, spec, workspace }) => {
    const wanted = spec()
    const signal = AbortSignal.abort()
    await failure(adapter.apply(wanted, { signal }), 'INTERRUPTED')
    expect(await adapter.list({ workspace })).toEqual([])
    expect((await adapter.apply(wanted)).workload.state).toBe('running')
  })
}
