/** Published ports: `[ip:]host[:container][/tcp|/udp]`, also plain numbers; loopback by default. */
import { type Problem, show } from './check.ts'

export interface PublishedPort {
  readonly hostIp: string
  /** 0: the runtime picks a free one. */
  readonly host: number
  readonly container: number
  readonly protocol: 'tcp' | 'udp'
}

const PORT = /^(?:(\[[0-9a-fA-F:]+\]|\d{1,3}(?:\.\d{1,3}){3}):)?(\d{0,5})(?::(\d{1,5}))?(?:\/(tcp|udp))?$/
const valid = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65535
const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const LOOPBACK = new RegExp(`^(?:127(?:\\.${BYTE}){3}|\\[::1\\])$`)

function parsePort(value: string | number): PublishedPort | null {
  const match = PORT.exec(String(value).trim())
  if (match === null) return null
  const host = match[2] === '' ? 0 : Number(match[2])
  const container = match[3] === undefined ? host : Number(match[3])
  if (!valid(host) || !valid(container) || container === 0) return null
  return { hostIp: match[1] ?? '127.0.0.1', host, container, protocol: match[4] === 'udp' ? 'udp' : 'tcp' }
}

export function parsePorts(
  value: string | number | readonly (string | number)[] | undefined,
  path: string,
  problems: Problem[],
): PublishedPort[] {
  if (value === undefined) return []
  const isList = typeof value === 'object'
  const items = isList ? value : [value]
  return items.flatMap((item, index) => {
    const place = isList ? `${path}[${index}]` : path
    const port = parsePort(item)
    if (port === null) {
      problems.push({
        path: place,
        message: `expected [ip:]host[:container][/tcp|/udp], found ${show(item)}`,
      })
      return []
    }
    if (!LOOPBACK.test(port.hostIp)) {
      problems.push({
        path: place,
        message: `only loopback addresses are published, found "${port.hostIp}"; reach it through the router`,
      })
      return []
    }
    return [port]
  })
}
