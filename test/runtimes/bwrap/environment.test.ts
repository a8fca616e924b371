import { describe, expect, it } from 'vitest'
import { launcherArgs, packEnvironment, unpackEnvironment } from '../../../runtimes/bwrap/environment.ts'
import { revealed, Secret } from '../../../src/core/secret.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'

const HOSTILE = {
  LD_PRELOAD: '/agent/evil.so',
  SHELLOPTS: 'xtrace',
  PS4: '$(touch /tmp/made)',
  IFS: '_S',
  ODD: `a "b" 'c' $HOME \`id\` \\ ; = \n 🦀`,
  EMPTY: '',
  I: '99',
  N: '0',
}

describe('a packed environment', () => {
  it('has no name that anything acts on, and comes out as it was', () => {
    const packed = packEnvironment(HOSTILE)
    expect(Object.keys(packed).filter((name) => !/^PLOINKY_SANDBOX_(\d+|N)$/.test(name))).toEqual([])
    const texts = Object.fromEntries(Object.entries(packed).map(([name, value]) => [name, revealed(value)]))
    expect(unpackEnvironment({ ...texts, PATH: '/bin', 0: 'X=1' })).toEqual(HOSTILE)
  })

  it('keeps secrets secret', () => {
    const packed = packEnvironment({ KEY: new Secret('s3cret') })
    expect(JSON.stringify(packed)).not.toContain('s3cret')
    expect(revealed(packed['PLOINKY_SANDBOX_0'] ?? '')).toBe('KEY=s3cret')
  })

  it.each(['A=B', 'BASH_FUNC_a%%', 'A.B', '1A', '', 'A\nB', 'PLOINKY_SANDBOX_0'])('does not take %j', (name) => {
    expect(() => packEnvironment({ [name]: '1' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

// The launcher is POSIX shell: what it does can be seen without a sandbox.
describe.runIf(process.platform !== 'win32')('the launcher', () => {
  const { LD_PRELOAD: _loader, SHELLOPTS: _options, ...harmless } = HOSTILE

  async function launch(argv: string[], cwd = '/') {
    const [file = '', ...args] = launcherArgs({ argv, cwd }, { tty: false })
    const hidden = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]))
    const env = { ...hidden, ...packEnvironment({ ...harmless, PATH: '/usr/bin:/bin' }) }
    return testPlatform.processes.run({ file, args, cwd: '/', env })
  }

  it('gives the program its variables, and none of ours', async () => {
    const { stdout, exitCode } = await launch(['env', '-0'])
    expect(exitCode).toBe(0)
    const entries = stdout.split('\0').filter(Boolean)
    const own = Object.fromEntries(entries.map((entry) => [entry.split('=')[0], entry.slice(entry.indexOf('=') + 1)]))
    expect(own).toMatchObject({ ...harmless, PATH: '/usr/bin:/bin' })
    expect(Object.keys(own).filter((name) => name.startsWith('PLOINKY'))).toEqual([])
  })

  it('passes words and the exit code unchanged, in the folder', async () => {
    const odd = `a b\t"c" 'd' \\ $HOME $(id) * \n 🦀`
    const result = await launch(['sh', '-c', 'printf "%s|%s" "$(pwd)" "$1"; exit 7', 'sh', odd], '/usr')
    expect(result).toMatchObject({ stdout: `/usr|${odd}`, exitCode: 7 })
  })

  it('says what is not there', async () => {
    expect((await launch(['no-such-program'])).exitCode).toBe(127)
    expect((await launch(['true'], '/no/such/folder')).exitCode).toBe(126)
  })
})
