/**
 * What a relayed request costs: CPU time of the proxy process per 1 KB keep-alive request, beside nginx doing the same
 * job in the same minute on the same core. Loopback only. The ratio is the result; absolute figures are this machine's.
 *
 *   node test/bench/proxy/index.mjs                                     the bare relay
 *   node test/bench/proxy/index.mjs --url http://127.0.0.1:8088/services/a/ --header 'Authorization: Bearer x'
 */
import { spawn } from 'node:child_process'
import { get } from 'node:http'
import process, { argv, execPath, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import {
  Stage,
  cpuMicros,
  freePort,
  hasProgram,
  listenerPid,
  residentKb,
  startNginx,
  waitForPort,
} from './processes.mjs'

/** Headers of a browser, about 600 bytes: parsing and copying them is part of the job. */
const BROWSER_HEADERS = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Referer: 'http://127.0.0.1:8088/dashboard/agents',
  Cookie: 'theme=dark; session=0123456789abcdef0123456789abcdef; panel=left',
  'Cache-Control': 'no-cache',
  // What a page loads: a navigation signed in by cookie is sent on to the agent's own origin.
  'Sec-Fetch-Dest': 'empty',
}

const WARM_REQUESTS = 15_000

/** @typedef {{ name: string, urls: string[], pid: number, headers: Record<string, string> }} Variant */

/**
 * Runs the bench and returns one row per variant; row 0 is nginx with ratio 1.
 * @param {{
 *   routerUrl?: string | string[],   // measure a running router; several URLs are taken in turn (for example 100 agents)
 *   routerPid?: number,              // its process; found by the listening port when left out
 *   headers?: Record<string, string>, // for the router only: credentials
 *   upstreamPort?: number,           // what nginx proxies to; an own 1 KB server when left out
 *   connections?: number, rounds?: number, seconds?: number,
 *   relayCommand?: string[],         // runtime for the bare relay, default this Node
 * }} options
 * @returns {Promise<{ skipped?: string, rows: object[] }>}
 */
export async function benchProxy(options = {}) {
  for (const program of ['nginx', 'wrk', 'taskset']) {
    if (!hasProgram(program)) return { skipped: `${program} is not installed`, rows: [] }
  }
  const { connections = 64, rounds = 3, seconds = 2 } = options
  const stage = new Stage()
  try {
    const variants = await startVariants(stage, options)
    const samples = variants.map(() => [])
    for (const variant of variants) await mustAnswer(variant)
    for (const variant of variants) await warm(stage, variant, connections)
    for (let round = 0; round < rounds; round++) {
      const first = round % variants.length
      for (let i = 0; i < variants.length; i++) {
        const index = (first + i) % variants.length
        samples[index].push(await load(stage, variants[index], { connections, seconds }))
      }
    }
    return { rows: variants.map((variant, index) => summarise(variant, samples[index], samples[0])) }
  } finally {
    await stage.close()
  }
}

async function startVariants(stage, options) {
  const upstreamPort = options.upstreamPort ?? (await freePort())
  if (!options.upstreamPort) await startNginx(stage, { port: upstreamPort, core: 1 })
  const nginxPort = await freePort()
  const nginxPid = await startNginx(stage, { port: nginxPort, upstreamPort, core: 0 })
  const variants = [
    { name: 'nginx', urls: [`http://127.0.0.1:${nginxPort}/x`], pid: nginxPid, headers: BROWSER_HEADERS },
  ]
  if (options.routerUrl) {
    const urls = [options.routerUrl].flat()
    const pid = options.routerPid ?? listenerPid(Number(new URL(urls[0]).port || 80))
    if (!pid) throw new Error('the process of the router was not found; pass its pid')
    variants.push({ name: 'router', urls, pid, headers: { ...BROWSER_HEADERS, ...options.headers } })
  } else {
    const port = await freePort()
    const command = options.relayCommand ?? [execPath]
    const child = stage.start([...command, await bundleRelay(stage)], {
      core: 0,
      env: { PORT: String(port), UPSTREAM_PORT: String(upstreamPort) },
    })
    await waitForPort(port)
    // The command may be a wrapper that starts the runtime.
    const pid = listenerPid(port) ?? child.pid
    variants.push({ name: 'relay', urls: [`http://127.0.0.1:${port}/x`], pid, headers: BROWSER_HEADERS })
  }
  return variants
}

async function bundleRelay(stage) {
  const outfile = `${stage.dir}/relay-server.mjs`
  await build({
    entryPoints: [fileURLToPath(new URL('relay-server.mjs', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  })
  return outfile
}

/** wrk takes a redirect for a success. */
async function mustAnswer({ name, urls: [url], headers }) {
  const status = await new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (answer) => resolve(answer.resume().statusCode)).once('error', reject)
  })
  if (status !== 200) throw new Error(`${name}: ${url} answers ${status}`)
}

/** A compiler that is still at work would be counted as the cost of a request. */
async function warm(stage, variant, connections) {
  for (let requests = 0, tries = 0; requests < WARM_REQUESTS && tries < 10; tries++) {
    requests += (await load(stage, variant, { connections, seconds: 1 })).perSecond
  }
}

/** One run of wrk; the figures of the proxy process are its growth over the run. */
async function load(stage, variant, { connections, seconds }) {
  const url = new URL(variant.urls[0])
  const paths = variant.urls.map((each) => new URL(each)).map(({ pathname, search }) => pathname + search)
  const script = stage.write('wrk.lua', wrkScript(paths, variant.headers))
  const before = cpuMicros(variant.pid)
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency', '-s', script, url.origin]
  const text = await run('taskset', ['-c', '1', 'wrk', ...args])
  const cpu = cpuMicros(variant.pid) - before
  const figure = (pattern) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
  const requests = figure(/^RESULT requests=(\d+)/m)
  const bad = figure(/^RESULT requests=\d+ bad=(\d+)/m)
  if (!(requests > 0) || bad > 0 || cpu === 0)
    throw new Error(`${variant.name}: ${bad} of ${requests} requests failed, ${cpu} µs of CPU\n${text}`)
  return {
    cpuMicros: cpu / requests,
    perSecond: requests / seconds,
    p50Micros: figure(/ p50=(\d+)/),
    p99Micros: figure(/ p99=(\d+)/),
  }
}

function wrkScript(paths, headers) {
  const quoted = (text) => JSON.stringify(text).replaceAll('\\/', '/')
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`)
  return `${lines.join('\n')}
local paths = { ${paths.map(quoted).join(', ')} }
local ready, turn = {}, 0
init = function() for i, path in ipairs(paths) do ready[i] = wrk.format("GET", path) end end
request = function() turn = turn % #ready + 1; return ready[turn] end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT requests=%d bad=%d p50=%d p99=%d\\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (piece) => (text += piece))
    child.stderr.on('data', (piece) => (text += piece))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(text))))
  })
}

function summarise(variant, samples, baseline) {
  const of = (key) => median(samples.map((sample) => sample[key]))
  return {
    name: variant.name,
    cpuMicrosPerRequest: round(of('cpuMicros')),
    // Inside a round, so that a neighbour's load hits both sides.
    ratio: round(median(samples.map((sample, index) => sample.cpuMicros / baseline[index].cpuMicros))),
    // A busy machine only ever adds: the least disturbed round of each side is nearest to the truth.
    bestRatio: round(least(samples) / least(baseline)),
    requestsPerSecond: Math.round(of('perSecond')),
    p50Micros: of('p50Micros'),
    p99Micros: of('p99Micros'),
    residentKb: residentKb(variant.pid),
  }
}

function least(samples) {
  return Math.min(...samples.map((sample) => sample.cpuMicros))
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

function round(value) {
  return Math.round(value * 100) / 100
}

async function main() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', multiple: true },
      pid: { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      'upstream-port': { type: 'string' },
      connections: { type: 'string', default: '64' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      runtime: { type: 'string' },
    },
  })
  const headers = Object.fromEntries(
    values.header.map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]),
  )
  const result = await benchProxy({
    ...(values.url ? { routerUrl: values.url } : {}),
    ...(values.pid ? { routerPid: Number(values.pid) } : {}),
    ...(values['upstream-port'] ? { upstreamPort: Number(values['upstream-port']) } : {}),
    ...(values.runtime ? { relayCommand: values.runtime.split(' ') } : {}),
    headers,
    connections: Number(values.connections),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  })
  if (result.skipped) console.log(`skipped: ${result.skipped}`)
  else console.table(result.rows)
  return result.skipped ? 2 : 0
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => exit(130))
  exit(await main())
}
