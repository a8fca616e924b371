import { describe, expect, it } from 'vitest'
import { hostCommand } from '../../../runtimes/host/spec.ts'
import { specHash } from '../../../runtimes/process/hash.ts'
import { mapPath } from '../../../runtimes/process/spec.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'
import { specFor } from '../../helpers/runtime-spec.ts'

const mounts = [
  { source: '/home/me/agents/demo/code', target: '/code', readOnly: true },
  { source: '/home/me/skills', target: '/code/skills/', readOnly: true },
  { source: '/opt/agent/', target: '/Agent', readOnly: true },
]

describe('paths of the container on the host', () => {
  it.each([
    ['/code', '/home/me/agents/demo/code'],
    ['/code/chat.mjs', '/home/me/agents/demo/code/chat.mjs'],
    ['/code/skills', '/home/me/skills'],
    ['/code/skills/a/b', '/home/me/skills/a/b'],
    ['/Agent/server/AgentServer.sh', '/opt/agent/server/AgentServer.sh'],
    ['/codec/x', '/codec/x'],
    ['/Code', '/Code'],
    ['see /code/x', 'see /code/x'],
    ['--file=/code/x', '--file=/code/x'],
    ['code/x', 'code/x'],
    ['', ''],
  ])('%s is %s', (text, expected) => {
    expect(mapPath(mounts, text)).toBe(expected)
  })
})

describe('the command of a plain process', () => {
  const platform: Platform = {
    ...testPlatform,
    env: { PATH: '/usr/bin', HOME: '/home/me', AWS_SECRET_ACCESS_KEY: 'not for agents', NODE_OPTIONS: '--inspect' },
  }
  const spec = specFor('w', {
    entrypoint: ['sh'],
    command: ['/Agent/server/AgentServer.sh', '/code/x'],
    workdir: '/code',
    mounts,
    env: { PLOINKY_CODE_DIR: '/code', PORT: '7000', KEY: new Secret('/code/is-a-secret'), TEXT: 'uses /code' },
  })
  const ports = [
    { container: 7001, host: 40001, hostIp: '127.0.0.1', protocol: 'udp' as const },
    { container: 7000, host: 40000, hostIp: '127.0.0.1', protocol: 'tcp' as const },
  ]

  it('has its paths mapped, in argv, folder and environment', () => {
    const command = hostCommand(platform, spec, ports)
    expect(command.argv).toEqual(['sh', '/opt/agent/server/AgentServer.sh', '/home/me/agents/demo/code/x'])
    expect(command.cwd).toBe('/home/me/agents/demo/code')
    expect(command.env['PLOINKY_CODE_DIR']).toBe('/home/me/agents/demo/code')
    expect(command.env['TEXT']).toBe('uses /code')
  })

  it('knows its ports: PORT is the first that speaks TCP', () => {
    const { env } = hostCommand(platform, spec, ports)
    expect(env).toMatchObject({ PORT: '40000', PLOINKY_PORT_7000: '40000', PLOINKY_PORT_7001: '40001' })
  })

  it("has nothing of the operator's environment but what every program needs", () => {
    const { env } = hostCommand(platform, spec, [])
    expect(Object.keys(env).sort()).toEqual(['HOME', 'KEY', 'PATH', 'PLOINKY_CODE_DIR', 'PORT', 'TEXT'])
  })

  it('keeps secrets as secrets, unchanged', () => {
    const key = hostCommand(platform, spec, []).env['KEY']
    expect(key).toBeInstanceOf(Secret)
    expect(key instanceof Secret && key.reveal()).toBe('/code/is-a-secret')
  })
})

describe('the hash of a spec', () => {
  const hash = (env: Record<string, string | Secret>): string => specHash(testPlatform, 'test', specFor('w', { env }))

  it('does not depend on order', () => {
    expect(hash({ A: '1', B: '2' })).toBe(hash({ B: '2', A: '1' }))
  })
  it('sees a changed secret, and not how a value is wrapped', () => {
    expect(hash({ A: new Secret('1') })).not.toBe(hash({ A: new Secret('2') }))
    expect(hash({ A: new Secret('1') })).toBe(hash({ A: '1' }))
  })
})
