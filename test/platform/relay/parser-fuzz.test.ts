import { describe, expect, test, vi } from 'vitest'
import { UpstreamProtocolError } from '../../../src/platform/relay/response-head.ts'
import type { ResponseHead } from '../../../src/platform/relay/response-head.ts'
import { ResponseParser } from '../../../src/platform/relay/response-parser.ts'
import { OK, Rig, get, unchunk } from './rig.ts'

vi.setConfig({ testTimeout: 60_000 })

const SEED = Number(process.env['FUZZ_SEED'] ?? 20261121)
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2000)

type Random = (below: number) => number

/** A small deterministic generator (mulberry32): a failure is repeated by its seed. */
function generator(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

interface Sample {
  readonly bytes: string
  readonly body: string
  readonly untilClose: boolean
  readonly interims: number
  readonly trailers: number
}

function sample(random: Random): Sample {
  const body = Array.from({ length: random(4) * random(120) }, () => '\r\n0;a:\0\xff'[random(8)]).join('')
  const interims = random(3) === 0 ? 1 + random(3) : 0
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(interims)
  const extra = Array.from({ length: random(5) }, (_, i) => `X-Field-${i}: ${'v'.repeat(random(60))}\r\n`).join('')
  const start = `${early}HTTP/1.1 200 OK\r\n${extra}`
  const kind = random(3)
  if (kind === 0) {
    const bytes = `${start}Content-Length: ${body.length}\r\n\r\n${body}`
    return { bytes, body, untilClose: false, interims, trailers: 0 }
  }
  if (kind === 1) return { bytes: `${start}\r\n${body}`, body, untilClose: true, interims, trailers: 0 }
  let chunks = ''
  for (let at = 0; at < body.length;) {
    const size = 1 + random(body.length - at)
    const digits = (random(2) ? '00' : '') + size.toString(16)
    chunks += `${random(2) ? digits.toUpperCase() : digits}${random(3) ? '' : ';ext="a b"'}\r\n${body.slice(at, at + size)}\r\n`
    at += size
  }
  const trailers = random(3)
  const tail = Array.from({ length: trailers }, (_, i) => `X-Trailer-${i}: t\r\n`).join('')
  return {
    bytes: `${start}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n${tail}\r\n`,
    body,
    untilClose: false,
    interims,
    trailers,
  }
}

/** Cuts at random places; every other run cuts into single bytes. */
function pieces(text: string, random: Random): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const parts: Buffer[] = []
  const most = random(2) ? 1 : 1 + random(bytes.length)
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(most)
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  return parts
}

class Recorder {
  interims = 0
  heads: ResponseHead[] = []
  body = ''
  interim(): void {
    this.interims++
  }
  head(head: ResponseHead): void {
    this.heads.push(head)
  }
  data(piece: Buffer): void {
    this.body += piece.toString('latin1')
  }
}

describe('response parser', () => {
  test(`reads every response alike wherever it is cut (seed ${SEED})`, () => {
    const random = generator(SEED)
    for (let run = 0; run < RUNS; run++) {
      const wanted = sample(random)
      const seen = new Recorder()
      const parser = new ResponseParser({ maxHeadBytes: 65_536, maxHeaders: 100 }, seen)
      parser.reset(seen, 'GET')
      const excess = wanted.untilClose ? '' : 'HTTP/1.1 '.slice(0, random(9))
      let consumed = 0
      for (const piece of pieces(wanted.bytes + excess, random)) consumed += parser.feed(piece)
      if (wanted.untilClose) expect(parser.eof()).toBe(true)
      const got = { body: seen.body, interims: seen.interims, trailers: parser.trailers.length }
      expect({ run, consumed, done: parser.done, heads: seen.heads.length, ...got }).toEqual({
        run,
        consumed: wanted.bytes.length,
        done: true,
        heads: 1,
        body: wanted.body,
        interims: wanted.interims,
        trailers: wanted.trailers,
      })
    }
  })

  test(`survives damaged responses: a protocol error or a response, nothing else (seed ${SEED})`, () => {
    const random = generator(SEED + 1)
    let errors = 0
    for (let run = 0; run < RUNS; run++) {
      const bytes = Buffer.from(sample(random).bytes, 'latin1')
      for (let hits = 1 + random(3); hits > 0; hits--) bytes[random(bytes.length)] = random(256)
      const seen = new Recorder()
      const parser = new ResponseParser({ maxHeadBytes: 4096, maxHeaders: 100 }, seen)
      parser.reset(seen, 'GET')
      try {
        for (const piece of pieces(bytes.toString('latin1'), random)) parser.feed(piece)
      } catch (error) {
        expect(error).toBeInstanceOf(UpstreamProtocolError)
        errors++
      }
      expect(seen.heads.length).toBeLessThan(2)
    }
    expect(errors).toBeGreaterThan(RUNS / 20)
  })
})

test(`responses cut on the wire arrive whole on kept connections (seed ${SEED})`, async () => {
  const random = generator(SEED + 2)
  const samples = Array.from({ length: 150 }, () => sample(random))
  const rig = new Rig()
  try {
    const target = await rig.upstream(async (peer) => {
      while (!peer.ended) {
        const head = await peer.head().catch(() => '')
        if (head === '') return
        const wanted = samples[Number(/^GET \/(\d+)/.exec(head)?.[1])]
        if (!wanted) {
          peer.send(OK)
          continue
        }
        for (const piece of pieces(wanted.bytes, random)) {
          peer.send(piece)
          if (random(4) === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        if (wanted.untilClose) peer.socket.end()
      }
    })
    await rig.front(target)
    for (const [index, wanted] of samples.entries()) {
      const answer = await rig.client(get(`/${index}`)).rest()
      const at = answer.indexOf('HTTP/1.1 200 OK')
      expect(answer.slice(0, at).split('HTTP/1.1 103').length - 1).toBe(wanted.interims)
      const split = answer.indexOf('\r\n\r\n', at)
      const chunked = /\r\ntransfer-encoding: chunked/i.test(answer.slice(at, split))
      const body = answer.slice(split + 4)
      expect({ index, body: chunked ? unchunk(body).body : body }).toEqual({ index, body: wanted.body })
    }
    const { opened, retried } = rig.plane.stats()
    expect(retried).toBe(0)
    expect(opened).toBeLessThanOrEqual(1 + samples.filter(({ untilClose }) => untilClose).length)
  } finally {
    await rig.close()
  }
})
