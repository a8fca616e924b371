/**
 * The contract of `runtimes/adapter.ts` as one suite: every adapter runs all of it against its real engine.
 * What an engine cannot do is declared by the caller as a gap with a reason, and shown in the report.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeAdapter } from '../../runtimes/adapter.ts'
import { silentLogger } from '../../src/core/log.ts'
import { chooseEngine, testPlatform, type EngineChoice, type TestEngine } from '../helpers/runtime-engines.ts'
import type { RuntimeDefinition } from '../../runtimes/adapter.ts'
import { applyCases } from './runtime/apply.ts'
import { eventCases } from './runtime/events.ts'
import { execCases } from './runtime/exec.ts'
import { fileCases } from './runtime/files.ts'
import { hardeningCases } from './runtime/hardening.ts'
import { inScope, randomId, type ContractTarget, type Scope } from './runtime/kit.ts'
import { jobCases } from './runtime/jobs.ts'
import { lifecycleCases } from './runtime/lifecycle.ts'
import { logCases } from './runtime/logs.ts'
import { networkCases } from './runtime/network.ts'
import { namedNetworkCases } from './runtime/networks.ts'
import { outageCases } from './runtime/outage.ts'
import { ownershipCases } from './runtime/ownership.ts'
import { terminalCases } from './runtime/terminal.ts'
import { volumeCases } from './runtime/volume.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Registers a test of the contract under a title that gaps refer to. */
export type Contract = (title: string, body: (scope: Scope) => Promise<void>) => void

const TEST_TIMEOUT_MS = 120_000

/** Runs the suite, or says why not. `describeTarget` is only called when the engine is there. */
export async function runRuntimeContract(options: {
  engine: TestEngine
  definition: RuntimeDefinition
  target(
    choice: EngineChoice & { run: true },
  ): Promise<Omit<ContractTarget, 'engine' | 'definition' | 'detection' | 'platform'>>
}): Promise<void> {
  const { engine, definition } = options
  const choice = await chooseEngine(engine, definition)
  if (!choice.run) {
    if (choice.failure) it(`${engine} is there`, () => expect.fail(choice.reason))
    else it.skip(`${engine}: not run (${choice.reason})`, () => {})
    return
  }
  const { detection } = choice
  const target = { engine, definition, detection, platform: testPlatform, ...(await options.target(choice)) }
  describe(`runtime contract: ${engine} ${detection.version}`, () => suite(target))
}

function suite(target: ContractTarget): void {
  const titles = new Set<string>()
  const shared: { adapter: RuntimeAdapter | null; folder: string } = { adapter: null, folder: '' }
  beforeAll(async () => {
    if (target.adapterPerTest) return
    shared.folder = await mkdtemp(join(tmpdir(), `ploinky-test-${randomId()}`))
    shared.adapter = target.definition.create({
      platform: target.platform,
      log: silentLogger,
      stateDir: join(shared.folder, 'state'),
    })
    await shared.adapter.detect()
  })
  afterAll(async () => {
    await shared.adapter?.[Symbol.asyncDispose]()
    if (shared.folder !== '') await rm(shared.folder, { recursive: true, force: true })
  })
  const contract: Contract = (title, body) => {
    expect(titles.has(title), `two tests are called "${title}"`).toBe(false)
    titles.add(title)
    const gap = target.gaps.find(({ test }) => test === title)
    const run = (): Promise<void> => inScope(target, shared.adapter, body)
    if (gap === undefined) it(title, { timeout: TEST_TIMEOUT_MS }, run)
    else if (gap.expect === 'skip') it.skip(`${title} (gap: ${gap.reason})`, run)
    else it.fails(`${title} (known to fail: ${gap.reason})`, { timeout: TEST_TIMEOUT_MS }, run)
  }

  describe.concurrent('side by side', () => {
    applyCases(contract)
    lifecycleCases(contract)
    ownershipCases(contract)
    execCases.small(contract)
    logCases.small(contract)
    terminalCases(contract)
    networkCases(contract)
    namedNetworkCases(contract)
    jobCases(contract)
    volumeCases(contract)
    fileCases.small(contract)
    hardeningCases(contract)
    eventCases(contract)
  })
  // Memory is measured for the whole process, and the engine's connection is one: these have it to themselves.
  describe.sequential('one at a time', () => {
    execCases.large(contract)
    fileCases.large(contract)
    logCases.large(contract)
    outageCases(contract)
  })
  it('every declared gap names a test', () => {
    for (const { test, reason } of target.gaps) {
      expect(titles, `gap "${test}"`).toContain(test)
      expect(reason).not.toBe('')
    }
  })
}
