import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../../runtimes/cli/dialect.ts'
import { infoBySocket } from '../../../runtimes/docker/by-socket.ts'
import { createPlatform } from '../../../src/platform/create.ts'

const INFO = { ServerVersion: '27.0.1', CgroupDriver: 'systemd' }
let dir = ''
let socket = ''
let server: Server
let answer: { status: number; body: string }

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-socket-'))
  socket = join(dir, 'docker.sock')
  answer = { status: 200, body: JSON.stringify(INFO) }
  server = createServer((request, response) => {
    response.writeHead(request.url === '/info' ? answer.status : 404).end(answer.body)
  })
  server.listen(socket)
  await once(server, 'listening')
})

afterEach(async () => {
  server.close()
  await rm(dir, { recursive: true, force: true })
})

function engine(env: Record<string, string>, parts: { program?: string; installed?: boolean } = {}): Engine {
  const platform = createPlatform()
  const which = async (): Promise<string | null> => (parts.installed === false ? null : '/usr/bin/docker')
  return {
    program: parts.program ?? 'docker',
    dialect: { program: 'docker' },
    platform: { ...platform, env, processes: { ...platform.processes, which } },
  } as unknown as Engine
}

const local = (): Record<string, string> => ({ DOCKER_HOST: `unix://${socket}` })
const ask = (of: Engine) => infoBySocket(of, undefined)

describe('the engine is asked over its socket', () => {
  it('where DOCKER_HOST names one', async () => {
    expect(await ask(engine(local()))).toEqual({ socket, info: JSON.stringify(INFO) })
  })
})

describe('the docker command is asked', () => {
  it('where the engine is not on this machine', async () => {
    expect(await ask(engine({ DOCKER_HOST: 'tcp://127.0.0.1:2375' }))).toBeNull()
  })

  it('where a context is chosen', async () => {
    expect(await ask(engine({ ...local(), DOCKER_CONTEXT: 'remote' }))).toBeNull()
    const home = join(dir, 'config')
    await mkdir(home)
    await writeFile(join(home, 'config.json'), '{"currentContext":"remote"}')
    expect(await ask(engine({ DOCKER_CONFIG: home }))).toBeNull()
    await writeFile(join(home, 'config.json'), '{"currentContext":')
    expect(await ask(engine({ DOCKER_CONFIG: home }))).toBeNull()
  })

  it('where another program stands in for it, or none is installed', async () => {
    expect(await ask(engine(local(), { program: '/opt/other' }))).toBeNull()
    expect(await ask(engine(local(), { installed: false }))).toBeNull()
  })

  it('where the engine refuses, or is podman', async () => {
    answer = { status: 403, body: '{"message":"no"}' }
    expect(await ask(engine(local()))).toBeNull()
    answer = { status: 200, body: JSON.stringify({ ...INFO, BuildahVersion: '1.28.0' }) }
    expect(await ask(engine(local()))).toBeNull()
    server.close()
    await once(server, 'close')
    expect(await ask(engine(local()))).toBeNull()
  })
})
