import { describe, expect, test } from 'vitest'
import { clipText, failureText } from '../../src/agent/call.ts'
import { createGate } from '../../src/agent/gate.ts'
import { LIMITS } from '../../src/agent/limits.ts'
import { createCappedText, createLineSplitter } from '../../src/agent/output.ts'
import { createProgressReporter, readStderrLine } from '../../src/agent/stderr.ts'
import { parseUriTemplate } from '../../src/agent/uri-template.ts'

/** A small repeatable generator, so that a failing case can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
}

const SAMPLE = new TextEncoder().encode('plain\nü€👍\r\n\n"quoted" 世界\nlast')

function* pieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const next = random(seed)
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + 1 + next(4))
    yield bytes.subarray(from, to)
    from = to
  }
}

describe('output', () => {
  test('is the same wherever its chunks are cut', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const lines: string[] = []
      const splitter = createLineSplitter((line) => lines.push(line), 1000)
      const text = createCappedText(1000)
      for (const piece of pieces(SAMPLE, seed)) {
        splitter.push(piece)
        text.push(piece)
      }
      splitter.end()
      expect(lines).toEqual(['plain', 'ü€👍', '', '"quoted" 世界', 'last'])
      expect(text.text()).toBe(new TextDecoder().decode(SAMPLE))
    }
  })

  test('is never cut inside a character', () => {
    for (let max = 0; max <= SAMPLE.length; max++) {
      const text = createCappedText(max)
      for (const piece of pieces(SAMPLE, max + 1)) text.push(piece)
      expect(text.truncated()).toBe(max < SAMPLE.length)
      expect(text.text()).not.toContain('\ufffd')
      expect(new TextDecoder().decode(SAMPLE).startsWith(text.text())).toBe(true)
      expect(max - new TextEncoder().encode(text.text()).length).toBeLessThan(4)
    }
  })

  test('without line ends arrives in pieces and not in one', () => {
    const lines: string[] = []
    const splitter = createLineSplitter((line) => lines.push(line), 10)
    splitter.push(new TextEncoder().encode('x'.repeat(25)))
    splitter.end()
    expect(lines.map((line) => line.length)).toEqual([10, 10, 5])
  })
})

describe('a line of standard error', () => {
  test.each([
    ['{"progress":1}', 'progress'],
    [' {"progress":0.5,"total":1,"message":"half"}', 'progress'],
    ['{"progress":"1"}', 'text'],
    ['{"level":"info","message":"x"}', 'log'],
    ['{"level":30,"msg":"x"}', 'text'],
    ['{"progress":1', 'text'],
    ['[1]', 'text'],
    ['', 'text'],
  ])('%s is %s', (line, kind) => {
    expect(readStderrLine(line).kind).toBe(kind)
  })

  test('with progress is sent rising, thinned out, and with the last value', async () => {
    let now = 0
    const sent: number[] = []
    const reporter = createProgressReporter(
      (report) => {
        sent.push(report.progress)
        return Promise.reject(new Error('the client has left'))
      },
      () => now,
    )
    for (const progress of [1, 2, 2, 1, 3]) reporter.report({ progress })
    now = LIMITS.progressIntervalMs
    reporter.report({ progress: 4 })
    reporter.report({ progress: 5 })
    await reporter.flush()
    expect(sent).toEqual([1, 4, 5])
  })
})

describe('a gate', () => {
  test('lets so many run at once, in order, and refuses who cannot wait', async () => {
    const gate = createGate({ parallel: 2, waiting: 2 })
    const signal = new AbortController().signal
    const finish: (() => void)[] = []
    const started: number[] = []
    const task = (id: number) =>
      gate.run(() => {
        started.push(id)
        return new Promise<void>((resolve) => finish.push(resolve))
      }, signal)
    const first = [task(1), task(2), task(3), task(4)]
    await expect(task(5)).rejects.toThrow('The agent is busy')
    expect(started).toEqual([1, 2])
    finish[0]?.()
    await first[0]
    await Promise.resolve()
    expect(started).toEqual([1, 2, 3])
    finish[1]?.()
    await first[1]
    finish[2]?.()
    await first[2]
    finish[3]?.()
    await first[3]
    expect(started).toEqual([1, 2, 3, 4])
    expect(gate.running()).toBe(0)
  })

  test('lets go who is cancelled while waiting, and frees the place of who fails', async () => {
    const gate = createGate({ parallel: 1, waiting: 5 })
    const abort = new AbortController()
    let fail = (): void => undefined
    const failing = gate.run(
      () => new Promise((_resolve, reject) => (fail = () => reject(new Error('no')))),
      new AbortController().signal,
    )
    const waiting = gate.run(() => Promise.resolve('never'), abort.signal)
    const next = gate.run(() => Promise.resolve('next'), new AbortController().signal)
    abort.abort()
    await expect(waiting).rejects.toThrow('cancelled')
    fail()
    await expect(failing).rejects.toThrow('no')
    await expect(next).resolves.toBe('next')
    expect(gate.running()).toBe(0)
  })
})

describe('a failure', () => {
  const result = { exitCode: 1, stdout: '', stderr: '', timedOut: false, truncated: false }

  test.each([
    [{ stdout: '{"ok":false,"error":"e","message":"m"}' }, 'e: m'],
    [{ stdout: 'first\n{"ok":false,"message":"m"}\n', stderr: 'noise' }, 'm'],
    [{ stdout: '{"ok":true,"error":"e"}', stderr: 'seen' }, 'seen'],
    [{ stdout: '{"ok":false}' }, 'command exited with code 1'],
    [{ stderr: '{"progress":1}\n' }, 'command exited with code 1'],
  ])('%j is told as %j', (part, expected) => {
    expect(failureText({ ...result, ...part }, 1)).toBe(expected)
  })

  test('is clipped at a whole character', () => {
    const clipped = clipText('👍'.repeat(5000))
    expect(clipped.length).toBeLessThanOrEqual(LIMITS.errorChars)
    expect(clipped.endsWith('👍...')).toBe(true)
  })
})

describe('a URI template', () => {
  const match = (template: string, uri: string) => {
    const parsed = parseUriTemplate(template)
    if (typeof parsed === 'string') throw new Error(parsed)
    return parsed.match(uri)
  }

  test.each([
    ['note://{id}', 'note://7', { id: '7' }],
    ['note://{id}', 'note://a%2Fb', { id: 'a/b' }],
    ['note://{id}', 'note://a/b', undefined],
    ['note://{id}', 'note://', undefined],
    ['note://{id}', 'other://7', undefined],
    ['note://{id}', 'note://%zz', undefined],
    ['note://{id}', 'note://a%00', undefined],
    ['f:///{+path}', 'f:///a/b/c', { path: 'a/b/c' }],
    ['x://{a}/to/{b}.txt', 'x://1/to/2.txt', { a: '1', b: '2' }],
    ['x://{a}/to/{b}.txt', 'x://1/to/2.txt?', undefined],
  ])('%s and %s', (template, uri, expected) => {
    expect(match(template, uri)).toEqual(expected)
  })

  test.each(['x://y', '{a}', 'x:{a}{b}', 'x:{a}/{a}', 'x:{1a}', 'x:{+a}/b', 'x:{a', 'x:}a{b}', 'x:{a,b}'])(
    'refuses %s',
    (template) => {
      expect(typeof parseUriTemplate(template)).toBe('string')
    },
  )

  test('matches a long address in a moment', () => {
    expect(
      match(`x:${Array.from({ length: 50 }, (_, i) => `a{v${i}}`).join('')}`, `x:${'a'.repeat(1_000_000)}/`),
    ).toBeUndefined()
  })
})
