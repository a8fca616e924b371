import { describe, expect, it } from 'vitest'
import { planEnvironment } from '../../../runtimes/cli/environment.ts'
import { Secret } from '../../../src/core/secret.ts'

const plan = (variables: Parameters<typeof planEnvironment>[0], allowFile = true) =>
  planEnvironment(variables, { allowFile })

describe('an ordinary variable', () => {
  it('travels by name on the command line and by value in the environment of the CLI', () => {
    const token = new Secret('hush\n"x"=1')
    expect(plan({ A: 'b\nc', TOKEN: token, EMPTY: '' })).toEqual({
      args: ['--env', 'A', '--env', 'TOKEN', '--env', 'EMPTY'],
      env: { A: 'b\nc', TOKEN: token, EMPTY: '' },
      file: null,
    })
  })
})

describe('a variable that would steer the CLI', () => {
  const steering = [
    'PATH',
    'HOME',
    'DOCKER_HOST',
    'DOCKER_CONFIG',
    'CONTAINER_HOST',
    'CONTAINERS_CONF',
    '_CONTAINERS_USERNS_CONFIGURED',
    'XDG_RUNTIME_DIR',
    'TMPDIR',
    'LD_PRELOAD',
    'GODEBUG',
    'HTTPS_PROXY',
    'no_proxy',
    'STORAGE_DRIVER',
    'DBUS_SESSION_BUS_ADDRESS',
    'BASH_ENV',
  ]
  it.each(steering)('%s goes through the private file', (name) => {
    expect(plan({ [name]: new Secret('v') })).toEqual({ args: [], env: {}, file: `${name}=v\n` })
  })
  it.each(['GOOGLE_API_KEY', 'PATHS', 'HOMEPAGE', 'PORT', 'NODE_ENV', 'CONTAINERISED'])('%s is none', (name) => {
    expect(plan({ [name]: 'v' }).file).toBeNull()
  })
  it('goes on the command line when a file cannot carry it and it is no secret', () => {
    expect(plan({ PATH: 'a\nb' })).toEqual({ args: ['--env', 'PATH=a\nb'], env: {}, file: null })
    expect(plan({ PATH: '/bin' }, false)).toEqual({ args: ['--env', 'PATH=/bin'], env: {}, file: null })
  })
  it('is refused when it is a secret that no file can carry', () => {
    expect(() => plan({ PATH: new Secret('a\nb') })).toThrowError(/secret that cannot be passed safely/)
  })
})

describe('refused', () => {
  it.each(['', '1A', 'A B', 'A=B', 'A*', '-A', 'A\n', 'é'])('the name %j', (name) => {
    expect(() => plan({ [name]: 'x' })).toThrowError(/invalid name/)
  })
  it('NUL, and more than a program can be given; without the value in the message', () => {
    expect(() => plan({ A: new Secret('hush\0') })).toThrowError(/^Environment variable "A" contains a NUL byte$/)
    expect(() => plan({ A: 'x'.repeat(131_072) })).toThrowError(/too large/)
    expect(plan({ A: 'x'.repeat(131_000) }).args).toEqual(['--env', 'A'])
  })
})
