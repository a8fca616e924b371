import { describe, expect, it } from 'vitest'
import { compare } from '../../../runtimes/process/events.ts'

type Look = Parameters<typeof compare>[0]
type Seen = Look extends ReadonlyMap<string, infer T> ? T : never

const record = {
  version: 1,
  name: 'n',
  workspace: 'w',
  agent: 'a',
  spec: 's',
  created: 'c1',
  run: 'r1',
  startedAt: '2030-01-01T00:00:00.000Z',
  cwd: '/',
  env: {},
  secrets: [],
  labels: {},
  ports: [],
  stopGraceSeconds: 1,
  mounts: [],
  supervisor: { pid: 2, since: null },
} as const satisfies Seen['record']

const FINISHED = '2030-01-01T00:00:09.000Z'
const seen = (state: Seen['state'], change: Partial<Seen['record']> = {}, exitCode = 3): Look =>
  new Map([
    [
      'n',
      {
        record: { ...record, ...change },
        state,
        exitCode: state === 'stopped' ? exitCode : null,
        finishedAt: state === 'stopped' ? FINISHED : null,
      },
    ],
  ])
const nothing: Look = new Map()
const told = (before: Look, now: Look): (string | number | null)[][] =>
  compare(before, now).map(({ type, exitCode }) => [type, exitCode])

describe('events between two looks', () => {
  it.each<[string, Look, Look, (string | number | null)[][]]>([
    ['nothing new', seen('running'), seen('running'), []],
    ['a start', nothing, seen('running'), [['started', null]]],
    [
      'a short life',
      nothing,
      seen('stopped'),
      [
        ['started', null],
        ['exited', 3],
      ],
    ],
    ['an end', seen('running'), seen('stopped'), [['exited', 3]]],
    ['a death without an exit code', seen('running'), seen('dead'), [['exited', null]]],
    [
      'a removal of what ran',
      seen('running'),
      nothing,
      [
        ['exited', null],
        ['removed', null],
      ],
    ],
    ['a removal of what had stopped', seen('stopped'), nothing, [['removed', null]]],
    [
      'a restart',
      seen('running'),
      seen('running', { run: 'r2' }),
      [
        ['exited', null],
        ['started', null],
      ],
    ],
    ['a start of what had stopped', seen('stopped'), seen('running', { run: 'r2' }), [['started', null]]],
    [
      'a replacement',
      seen('running'),
      seen('running', { run: 'r2', created: 'c2' }),
      [
        ['exited', null],
        ['removed', null],
        ['started', null],
      ],
    ],
  ])('%s', (_what, before, now, expected) => {
    expect(told(before, now)).toEqual(expected)
  })

  it('carry the times of the records', () => {
    expect(compare(nothing, seen('stopped')).map(({ at }) => at)).toEqual([record.startedAt, FINISHED])
  })
})
