/** A real pull by a real engine, from a registry in this process. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageProgress, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { dockerRuntime } from '../../../runtimes/docker/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { startRegistry } from '../../fixtures/registry.mjs'
import { isInstalled, runProgram } from '../cli/support.ts'

const usable = isInstalled('docker') && (await runProgram('docker', ['info', '--format', 'x'])).exitCode === 0

describe.skipIf(!usable)(`pulling with docker${usable ? '' : ' (no engine: skipped)'}`, { timeout: 60_000 }, () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>
  let adapter: RuntimeAdapter
  let reference: string
  beforeAll(async () => {
    registry = await startRegistry()
    reference = `${registry.address}/fixture/two-layers:1`
    adapter = dockerRuntime.create({ platform: createPlatform(), log: silentLogger, stateDir: '/nonexistent' })
  })
  afterAll(async () => {
    await adapter[Symbol.asyncDispose]()
    await runProgram('docker', ['rmi', reference])
    await registry.close()
  })

  async function ensure(policy: 'missing' | 'always' | 'never', name = reference) {
    const steps: ImageProgress[] = []
    const generator = adapter.ensureImage(name, policy)
    for (;;) {
      const step = await generator.next()
      if (step.done) return { steps, image: step.value }
      steps.push(step.value)
    }
  }

  it('asks the registry once, shows progress to all who wait, and then finds the image here', async () => {
    await expect(ensure('never')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
    expect(registry.pulls.manifests).toBe(0)
    const [one, two] = await Promise.all([ensure('missing'), ensure('missing')])
    expect(one.image).toEqual(two.image)
    expect(one.image.digest).toMatch(/^sha256:/)
    const asked = registry.pulls.manifests
    for (const { steps } of [one, two]) {
      expect(steps.length).toBeGreaterThan(3)
      expect(steps.at(-1)).toMatchObject({ done: true, fraction: 1 })
      expect(steps.filter(({ done }) => done)).toHaveLength(1)
    }
    expect((await ensure('missing')).steps).toHaveLength(1)
    expect(registry.pulls.manifests).toBe(asked)
  })

  it('explains what cannot be had', async () => {
    const missing = `${registry.address}/fixture/missing:1`
    await expect(ensure('missing', missing)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('manifest unknown') as unknown,
      hint: expect.stringContaining(`docker pull ${missing}`) as unknown,
    })
    await expect(ensure('missing', '--all')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
