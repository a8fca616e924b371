/** Facts of a container, read inside it. */
import { eventually } from '../../helpers/eventually.ts'
import { expect } from 'vitest'
import type { Workload, WorkloadSpec } from '../../../runtimes/adapter.ts'
import { isPloinkyError } from '../../../src/core/error.ts'
import type { Contract } from '../runtime.ts'
import type { Scope } from './kit.ts'
import { programs } from '../../helpers/runtime-programs.ts'

const sh = (text: string, ...args: string[]): string[] => ['sh', '-c', text, 'hardening', ...args]
const noSecurity: WorkloadSpec['security'] = {
  readOnlyRoot: false,
  dropCapabilities: [],
  addCapabilities: [],
  privileged: false,
  shmBytes: null,
  gpus: null,
}

export function hardeningCases(contract: Contract): void {
  always(contract)
  asked(contract)
  limits(contract)
}

function always(contract: Contract): void {
  contract('nothing in the container can gain privileges', async ({ start, exec }) => {
    const { name } = await start()
    const own = await exec(name, sh('cat /proc/self/status'))
    expect(own.stdout).toMatch(/^NoNewPrivs:\s+1$/m)
    const main = await exec(name, sh('cat /proc/1/status'))
    expect(main.stdout).toMatch(/^NoNewPrivs:\s+1$/m)
  })

  contract('the first process is an init that reaps orphans', async ({ start, exec, sees }) => {
    const { name } = await start()
    await sees(name, 'up')
    expect((await exec(name, ['cat', '/proc/1/comm'])).stdout.trim()).toMatch(/init|tini|catatonit|bwrap/)
    // An orphan becomes a child of process 1; without an init it stays there as a zombie.
    const orphan = await exec(name, sh('(sh -c "exit 0" & echo $! >/tmp/orphan); sleep 0.3; cat /tmp/orphan'))
    const pid = orphan.stdout.trim()
    expect(pid).toMatch(/^\d+$/)
    await eventually(async () => expect((await exec(name, sh('cat "/proc/$1/stat"', pid))).code).not.toBe(0))
  })
}

function asked(contract: Contract): void {
  contract('a read-only root cannot be written', async ({ start, exec }) => {
    const { name } = await start({ security: { ...noSecurity, readOnlyRoot: true } })
    expect((await exec(name, sh(': >/etc/made'))).code).not.toBe(0)
    expect((await exec(name, sh(': >/made'))).code).not.toBe(0)
  })

  contract('capabilities are dropped and added', async ({ start, exec }) => {
    const effective = async (name: string): Promise<bigint> => {
      const { stdout } = await exec(name, ['cat', '/proc/self/status'])
      return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(stdout)?.[1] ?? 'nothing'}`)
    }
    const security = { ...noSecurity, dropCapabilities: ['ALL'] }
    const none = await start({ agent: 'none', security })
    expect(await effective(none.name)).toBe(0n)
    const one = await start({ agent: 'one', security: { ...security, addCapabilities: ['NET_BIND_SERVICE'] } })
    expect(await effective(one.name)).toBe(1n << 10n)
  })

  contract('a privileged instance has more rights, and can gain none', async (t) => {
    const rights = async (name: string): Promise<bigint> => {
      const { stdout } = await t.exec(name, ['cat', '/proc/self/status'])
      expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m)
      return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(stdout)?.[1] ?? 'nothing'}`)
    }
    const plain = await t.start({ agent: 'plain' })
    const wanted = t.spec({ agent: 'privileged', security: { ...noSecurity, privileged: true } })
    const made = await t.adapter.apply(wanted).catch((error: unknown) => {
      // A sandbox around the engine may have fewer rights than there are, and docker gives all or none.
      if (isPloinkyError(error) && error.code === 'CAPABILITY_UNSUPPORTED') return null
      throw error
    })
    if (made === null)
      expect((await t.adapter.list({ workspace: t.workspace })).map(({ agent }) => agent)).toEqual(['plain'])
    else expect(await rights(wanted.name)).toBeGreaterThan(await rights(plain.name))
  })

  contract('shared memory has the size that was asked for', async ({ start, exec }) => {
    const { name } = await start({ security: { ...noSecurity, shmBytes: 128 * 1024 * 1024 } })
    expect((await exec(name, sh('df -k /dev/shm | tail -n 1'))).stdout).toMatch(/^\S+\s+131072\s/)
  })

  contract('gpus are given, or refused', async (t) => {
    const wanted = t.spec({ security: { ...noSecurity, gpus: 'all' } })
    const refused = await t.adapter.apply(wanted).catch((error: unknown) => error)
    if (isPloinkyError(refused)) {
      expect(refused).toMatchObject({
        code: 'CAPABILITY_UNSUPPORTED',
        hint: expect.stringContaining('gpus') as unknown,
      })
      expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
    } else expect(refused).toMatchObject({ workload: { state: 'running' } })
  })

  contract('the main program runs as the user of the spec', async ({ start, exec }) => {
    const { name } = await start({ user: '1234:1234' })
    expect((await exec(name, ['id', '-u'])).stdout.trim()).toBe('1234')
    expect((await exec(name, ['id', '-g'])).stdout.trim()).toBe('1234')
  })

  contract('no network means loopback only', async ({ start, exec }) => {
    const { name } = await start({ network: { mode: 'none' } })
    const { stdout } = await exec(name, sh('tail -n +3 /proc/net/dev | cut -d: -f1'))
    const devices = stdout
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
    // Kernels offer idle tunnel devices in every namespace; a way out would be an ethernet-like device.
    expect(devices.filter((device) => /^(eth|en|tap|veth)/.test(device))).toEqual([])
    expect(devices).toContain('lo')
  })
}

function limits(contract: Contract): void {
  contract('the number of processes is limited, or the runtime says that it is not', async (t) => {
    const { name } = await t.start({ limits: { pids: 40, memoryBytes: null, cpus: null } })
    if (!t.capabilities.limits.pids) {
      expect(t.target.detection.notes.join('\n')).toMatch(/limit/i)
      return
    }
    const bomb = await t.exec(name, sh('i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done; echo "all $i"'))
    expect(bomb.stdout).not.toContain('all 100')
  })

  contract('memory is limited, or the runtime says that it is not', async (t) => {
    if (!t.capabilities.limits.memory) {
      expect(t.target.detection.notes.join('\n')).toMatch(/limit/i)
      return
    }
    expect(await outOfMemory(t)).toMatchObject({ exitCode: 137 })
  })

  contract('an instance that ran out of memory says so', async (t) => {
    if (t.capabilities.limits.memory) expect(await outOfMemory(t)).toMatchObject({ oomKilled: true })
  })

  contract('stats tell memory and processes', async ({ start, adapter, sees }) => {
    const { name } = await start({ command: programs.idle() })
    await sees(name, 'up')
    const stats = await adapter.stats(name)
    if (!adapter.capabilities.stats) {
      expect(stats).toBeNull()
      return
    }
    expect(stats).not.toBeNull()
    if (stats?.memoryBytes !== null) expect(stats?.memoryBytes).toBeGreaterThan(0)
    if (stats?.pids !== null) expect(stats?.pids).toBeGreaterThan(0)
    if (stats?.cpuPercent !== null) expect(stats?.cpuPercent).toBeGreaterThanOrEqual(0)
    expect(Object.values(stats ?? {}).some((value) => value !== null)).toBe(true)
  })
}

async function outOfMemory(t: Scope): Promise<Workload> {
  const { name } = await t.start({
    image: t.target.images?.node ?? null,
    command: ['node', '-e', 'const kept = []; for (;;) kept.push(Buffer.alloc(8e6, 1))'],
    limits: { pids: 100, memoryBytes: 96 * 1024 * 1024, cpus: null },
  })
  return t.reaches(name, 'stopped')
}
