/** Settings: who wins, and what is said about a value that is none, wherever it came from. */
import { describe, expect, it } from 'vitest'
import {
  assertSettingName,
  explainSettings,
  parseSetting,
  type SettingInputs,
  type SettingName,
  SETTING_NAMES,
} from '../../src/config/settings.ts'

const NONE: SettingInputs = { flags: {}, env: {}, workspace: {} }
const find = (inputs: Partial<SettingInputs>, name: SettingName) =>
  explainSettings({ ...NONE, ...inputs }).find((item) => item.name === name)

it('a flag wins over the environment, that over the workspace, that over the default', () => {
  const [flags, env, workspace] = [{ port: 1 }, { PLOINKY_PORT: '2', ROUTER_PORT: '9' }, { port: 3 }]
  expect(find({ flags, env, workspace }, 'port')).toMatchObject({ value: 1, source: 'flag', from: '--port' })
  expect(find({ env, workspace }, 'port')).toMatchObject({ value: 2, source: 'environment', from: 'PLOINKY_PORT' })
  expect(find({ env: { PLOINKY_PORT: '', ROUTER_PORT: '9' } }, 'port')).toMatchObject({ value: 9, from: 'ROUTER_PORT' })
  expect(find({ workspace }, 'port')).toMatchObject({ value: 3, from: '.ploinky/config.json (port)' })
  expect(find({ workspace: { profile: 'qa' } }, 'profile')).toMatchObject({ from: '.ploinky/profile' })
  expect(find({}, 'port')).toMatchObject({ value: 8088, source: 'default' })
})

describe('a value that is none', () => {
  const wrong: [SettingName, readonly (string | number | boolean)[]][] = [
    ['port', ['0', '65536', '-1', '80.5', '8e1', '0x50', 'http', '', '٣', 1.5, true, '9'.repeat(400), '80\n', '1 2']],
    [
      'host',
      [
        '',
        'evil host',
        'example.com',
        '999.1.1.1',
        '1.2.3',
        '1.2.3.4.5',
        '::::',
        ':',
        '1::2::3',
        '[::1]',
        '127.0.0.1:80',
        '-x',
        'localhost\0',
      ],
    ],
    ['runtime', ['', 'Docker', 'dcoker', 'docker ;ls']],
    ['profile', ['', '..', '../x', '-x', 'a b', 'a/b', '.x', 'x'.repeat(64)]],
    ['allowedHosts', ['http://x', 'a b;c', 'x/y', '*']],
    ['debug', ['maybe', '2']],
    ['readyTimeout', ['0', '3601', 'x']],
    ['blobLimit', ['0', '-1', '1e9', '9'.repeat(20)]],
  ]
  it.each(wrong)('of %s is refused', (name, values) => {
    for (const value of values.filter((text) => String(text).trim() === String(text))) {
      for (const from of ['--flag', `ploinky config ${name}`, '.ploinky/config.json (x)', 'VARIABLE']) {
        const isTyped = /^(?:-|ploinky )/.test(from)
        expect(() => parseSetting(name, value, from), `${name} ${value}`).toThrow(
          expect.objectContaining({
            code: isTyped ? 'USAGE_INVALID' : 'CONFIG_INVALID',
            message: expect.stringContaining(`Invalid ${name} in ${from}: found "`) as string,
            hint: expect.stringContaining(from) as string,
          }) as Error,
        )
      }
    }
  })

  it('is shown in part', () => {
    expect(() => parseSetting('port', 'x'.repeat(100_000), 'VARIABLE')).toThrow(/^.{0,300}$/)
  })

  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1', '::ffff:10.0.0.1', 'localhost'])(
    '%s is an address',
    (host) => {
      expect(parseSetting('host', host, 'x')).toBe(host)
    },
  )
})

describe('a name that is none', () => {
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', '', 'PORT', 'x'.repeat(10_000)])('%s', (name) => {
    expect(() => assertSettingName(name)).toThrow(
      expect.objectContaining({ code: 'USAGE_INVALID', details: { available: SETTING_NAMES } }) as Error,
    )
  })

  it('gets the nearest one for a hint', () => {
    expect(() => assertSettingName('prot')).toThrow(
      expect.objectContaining({ hint: 'Did you mean: ploinky config port' }) as Error,
    )
  })

  it('in a file is not taken for what every object inherits', () => {
    const workspace = JSON.parse('{"constructor": "x", "toString": 5}') as Record<string, string>
    expect(find({ workspace }, 'port')).toMatchObject({ source: 'default' })
  })
})
