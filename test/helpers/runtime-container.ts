/** Doing things to real engines behind an adapter's back. */
import { writeFileSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { RuntimeDefinition } from '../../runtimes/adapter.ts'
import { silentLogger } from '../../src/core/log.ts'
import { until } from '../../src/core/time.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { ContractTarget, Foreign, Outage } from '../contract/runtime/kit.ts'
import { engineCli, IMAGES, withEnvironment, type EngineCli } from './runtime-engines.ts'

async function must(cli: EngineCli, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cli(args)
  if (exitCode !== 0) throw new Error(`${args.slice(0, 2).join(' ')} failed: ${stderr}`)
  return stdout.trim()
}

type Manual = Pick<
  ContractTarget,
  | 'removeBehindBack'
  | 'createForeign'
  | 'networksOf'
  | 'createForeignNetwork'
  | 'removeNetworkBehindBack'
  | 'tag'
  | 'untag'
>

/** The same by the engine's own command. */
export function byHand(program: 'docker' | 'podman'): Manual {
  const cli = engineCli(program)
  return {
    async removeBehindBack({ name }) {
      await must(cli, ['rm', '-f', '-v', name])
    },
    async createForeign(name): Promise<Foreign> {
      const id = await must(cli, [
        'run',
        '-d',
        '--pull',
        'never',
        '--init',
        '--name',
        name,
        IMAGES.small,
        'sleep',
        '100000',
      ])
      return {
        async isUntouched() {
          const { stdout } = await cli(['inspect', '--format', '{{.Id}} {{.State.Running}}', name])
          return stdout.trim() === `${id} true`
        },
        async [Symbol.asyncDispose]() {
          await must(cli, ['rm', '-f', '-v', id])
        },
      }
    },
    ...networksByHand(program, cli),
    async tag(image, reference) {
      await must(cli, ['tag', image, reference])
    },
    async untag(reference) {
      // podman's `untag` with one word takes all names of the image away.
      await must(cli, program === 'docker' ? ['rmi', '--no-prune', reference] : ['untag', reference, reference])
    },
  }
}

function networksByHand(
  program: 'docker' | 'podman',
  cli: EngineCli,
): Pick<Manual, 'networksOf' | 'createForeignNetwork' | 'removeNetworkBehindBack'> {
  return {
    async networksOf(workspace) {
      const filter = `label=ploinky.workspace=${workspace}`
      const names = await must(cli, ['network', 'ls', '--filter', filter, '--format', '{{.Name}}'])
      return names.split('\n').filter(Boolean).sort()
    },
    async createForeignNetwork(name) {
      await must(cli, ['network', 'create', name])
      return {
        isUntouched: async () => (await cli(['network', 'inspect', name])).exitCode === 0,
        async [Symbol.asyncDispose]() {
          await must(cli, ['network', 'rm', name])
        },
      }
    },
    async removeNetworkBehindBack(name) {
      // podman takes the stopped containers along; docker leaves them without their network.
      await must(cli, ['network', 'rm', ...(program === 'podman' ? ['--force'] : []), name])
    },
  }
}

interface OutageContext {
  platform: Platform
  stateDir: string
}

/** A proxy in front of the docker daemon's socket, known to the adapter and its programs as DOCKER_HOST. */
export async function dockerOutage(definition: RuntimeDefinition, context: OutageContext): Promise<Outage> {
  await mkdir(context.stateDir, { recursive: true })
  const path = join(context.stateDir, 'engine.sock')
  const real = context.platform.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  const sockets = new Set<Socket>()
  let stalled = false
  let sinceStall = 0
  // Programs close one direction and go on reading the other.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = real.startsWith('unix://')
      ? connect({ path: real.slice('unix://'.length), allowHalfOpen: true })
      : connect({ port: Number(new URL(real).port), host: new URL(real).hostname, allowHalfOpen: true })
    if (stalled) sinceStall += 1
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (data) => upstream.write(data))
    client.on('end', () => upstream.end())
    upstream.on('data', (data) => {
      if (!stalled) client.write(data)
    })
    upstream.on('end', () => client.end())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const cut = async (): Promise<void> => {
    if (stalled) {
      await until(async () => (sinceStall > 0 ? true : null), {
        timeoutMs: 60_000,
        what: 'a call that waits for the engine',
      })
    }
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  const platform = withEnvironment(context.platform, { DOCKER_HOST: `unix://${path}` })
  const adapter = definition.create({ platform, log: silentLogger, stateDir: context.stateDir })
  return {
    adapter,
    stall: () => {
      stalled = true
    },
    cut,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await adapter[Symbol.asyncDispose]()
    },
  }
}

/** `exec` keeps the process id, so that the recorded id is that of the engine's own command. */
const WRAPPER = `#!/bin/sh
folder=\${0%/*}
if [ -e "$folder/cut" ]; then kill -9 $$; fi
echo $$ >>"$folder/pids"
if [ -e "$folder/stall" ]; then echo $$ >>"$folder/stalled"; exec sleep 100000; fi
exec podman "$@"
`

/** Podman has no daemon: what can go away is the command itself. The adapter runs a wrapper that we can kill. */
export async function podmanOutage(definition: RuntimeDefinition, context: OutageContext): Promise<Outage> {
  const folder = context.stateDir
  await mkdir(folder, { recursive: true })
  const wrapper = join(folder, 'podman')
  await writeFile(wrapper, WRAPPER)
  await chmod(wrapper, 0o755)
  const pids = async (file: string): Promise<number[]> =>
    (await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number)
  let stalled = false
  const killAll = async (): Promise<void> => {
    for (const pid of await pids('pids')) {
      // Only what is still our command: a finished one's id may belong to somebody else by now.
      const info = await context.platform.processes.info(pid)
      if (info !== null && /podman|sleep 100000/.test(info.command)) context.platform.processes.signal(pid, 'SIGKILL')
    }
  }
  const platform = withEnvironment(context.platform, { PLOINKY_PODMAN: wrapper })
  const adapter = definition.create({ platform, log: silentLogger, stateDir: folder })
  return {
    adapter,
    stall: () => {
      stalled = true
      writeFileSync(join(folder, 'stall'), '')
    },
    async cut() {
      if (stalled) {
        const waiting = async () => ((await pids('stalled')).length > 0 ? true : null)
        await until(waiting, { timeoutMs: 60_000, what: 'a call that waits for the engine' })
      }
      await writeFile(join(folder, 'cut'), '')
      await killAll()
    },
    async [Symbol.asyncDispose]() {
      await adapter[Symbol.asyncDispose]()
      await killAll()
    },
  }
}
