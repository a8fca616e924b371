/** Published ports: `[ip:]host[:container][/tcp|/udp]`, ranges (`8000-8003:9000-9003`), plain numbers; loopback by default. */
import { type Problem, show } from '../check.ts'
import type { PublishedPort } from './types.ts'

const PORT =
  /^(?:(\[[0-9a-fA-F:]+\]|\d{1,3}(?:\.\d{1,3}){3}):)?(\d{0,5}(?:-\d{1,5})?)(?::(\d{1,5}(?:-\d{1,5})?))?(?:\/(tcp|udp))?$/
const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const LOOPBACK = new RegExp(`^(?:127(?:\\.${BYTE}){3}|\\[::1\\])$`)
/** More would be a mistake, and each costs the engine a forwarder. */
const MAX_RANGE = 256

/** First and last of `8000` or `8000-8003`; null when they are no ports. */
function rangeOf(text: string): [first: number, last: number] | null {
  const [first = '', last = first] = text.split('-')
  const range: [number, number] = [Number(first), Number(last)]
  const inRange = range.every((port) => Number.isInteger(port) && port >= 0 && port <= 65535)
  return inRange && range[1] >= range[0] && range[1] - range[0] < MAX_RANGE ? range : null
}

function parsePort(value: string | number): PublishedPort[] | null {
  const match = PORT.exec(String(value).trim())
  if (match === null) return null
  const protocol = match[4] === 'udp' ? 'udp' : 'tcp'
  const hostIp = match[1] ?? '127.0.0.1'
  const host = rangeOf(match[2] === '' ? '0' : (match[2] ?? ''))
  const container = match[3] === undefined ? host : rangeOf(match[3])
  if (host === null || container === null || container[0] === 0) return null
  const length = container[1] - container[0] + 1
  // A free port each, or as many as there are in the container.
  const isPicked = host[0] === 0 && host[1] === 0
  if (!isPicked && host[1] - host[0] + 1 !== length) return null
  return Array.from({ length }, (_, index) => ({
    hostIp,
    host: isPicked ? 0 : host[0] + index,
    container: container[0] + index,
    protocol,
  }))
}

export function parsePorts(
  value: string | number | readonly (string | number)[] | undefined,
  path: string,
  problems: Problem[],
): PublishedPort[] {
  if (value === undefined) return []
  const isList = typeof value === 'object'
  const items = isList ? value : [value]
  const published = items.flatMap((item, index) => {
    const place = isList ? `${path}[${index}]` : path
    const found = parsePort(item)
    if (found === null) {
      problems.push({ path: place, message: `expected [ip:]host[:container][/tcp|/udp], found ${show(item)}` })
      return []
    }
    const [first] = found
    if (first !== undefined && !LOOPBACK.test(first.hostIp)) {
      problems.push({
        path: place,
        message: `only loopback addresses are published, found "${first.hostIp}"; reach it through the router`,
      })
      return []
    }
    return found.map((port) => ({ port, place }))
  })
  const taken = new Map<string, string>()
  for (const { port, place } of published) {
    if (port.host === 0) continue
    const key = `${port.hostIp}:${port.host}/${port.protocol}`
    const before = taken.get(key)
    if (before !== undefined)
      problems.push({ path: place, message: `port ${port.host} is published by ${before} already` })
    taken.set(key, place)
  }
  return published.map(({ port }) => port)
}
