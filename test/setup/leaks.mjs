// What a test run left behind: containers, volumes, networks, processes, folders. Everything that was there before is
// somebody else's.
import { readdirSync, readlinkSync } from 'node:fs'
import { spawnAs } from './detect.mjs'
import { readText, runAsync, startTime, until } from './process.mjs'

const LABEL = 'ploinky.workspace'
/** Helpers that the engines themselves keep for a user or for a container; they are not started by the product. */
const ENGINE_HELPERS = new Set([
  'conmon',
  'catatonit',
  'slirp4netns',
  'rootlessport',
  'aardvark-dns',
  'pasta',
  'pasta.avx2',
])
/** A process that was told to end may need a moment. */
const GRACE_MS = 10_000

const KINDS = [
  { kind: 'container', list: ['ps', '--all', '--format', '{{.Names}}'], remove: ['rm', '--force', '--volumes'] },
  { kind: 'volume', list: ['volume', 'ls', '--format', '{{.Name}}'], remove: ['volume', 'rm', '--force'] },
  { kind: 'network', list: ['network', 'ls', '--format', '{{.Name}}'], remove: ['network', 'rm'] },
]

/**
 * @typedef {{ text: string, engine?: import('./detect.mjs').Engine, kind?: string, name?: string, pid?: number, start?: string | null }} Thing
 */

/**
 * Everything with our label on the available engines, by its text.
 * @param {import('./detect.mjs').Engine[]} engines
 * @returns {Promise<Map<string, Thing>>}
 */
export async function labelled(engines) {
  const available = engines.filter((engine) => engine.available)
  const lists = await Promise.all(available.flatMap((engine) => KINDS.map((kind) => listKind(engine, kind))))
  return new Map(lists.flat().map((thing) => [thing.text, thing]))
}

async function listKind(engine, { kind, list }) {
  const { code, text, stderr } = await call(engine, [...list, '--filter', `label=${LABEL}`])
  if (code !== 0) return [{ text: `${engine.id} ${kind}s cannot be listed: ${stderr.trim().split('\n').at(-1)}` }]
  const names = text.split('\n').filter(Boolean)
  return names.map((name) => ({ text: `${engine.id} ${kind} ${name}`, engine, kind, name }))
}

/**
 * @param {object} options
 * @param {import('./detect.mjs').Engine[]} options.engines
 * @param {Map<string, Thing>} options.before what `labelled` said before the run
 * @param {string} options.scratch temporary folder of the run
 * @param {string} options.run mark that all processes of this run inherited
 * @param {boolean} options.alone nobody else uses the engines, so whatever is new is this run's
 * @returns {Promise<{ leaks: Thing[], perhaps: Thing[] }>} `perhaps`: new, but nothing tells that it is this run's
 */
export async function findLeaks({ engines, before, scratch, run, alone }) {
  let processes = []
  await until(() => (processes = ownProcesses(scratch, run)).length === 0, GRACE_MS)
  const appeared = [...(await labelled(engines)).values()].filter(({ text }) => !before.has(text))
  const certain = await Promise.all(appeared.map(async (thing) => alone || (await mentions(thing, scratch))))
  const folders = ownFolders(scratch).map((name) => ({ text: `folder ${scratch}/${name}` }))
  return {
    leaks: [...appeared.filter((_, index) => certain[index]), ...processes, ...folders],
    perhaps: appeared.filter((_, index) => !certain[index]),
  }
}

/** Whether the container (volume, network) was made with something in the run's folder: mounts, labels, settings. */
async function mentions({ engine, kind, name }, scratch) {
  if (engine === undefined) return true
  const { code, stdout } = await call(engine, [kind, 'inspect', name])
  return code === 0 && stdout.includes(scratch)
}

/** Ends and removes what the run left behind; folders go with the run's own folder. @param {Thing[]} leaks */
export async function removeLeaks(leaks) {
  // Processes first: a router that still lives would start its agents again.
  for (const { pid, start } of leaks) {
    if (pid === undefined || startTime(pid) !== start) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      continue
    }
  }
  for (const { engine, kind, name } of leaks) {
    const remove = KINDS.find((candidate) => candidate.kind === kind)?.remove
    if (engine !== undefined && remove !== undefined) await call(engine, [...remove, name])
  }
}

/** Processes with the run's mark in their environment, or its folder in their arguments or as working directory. */
function ownProcesses(scratch, run) {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim()
      if (command === '' || ENGINE_HELPERS.has((readText(`/proc/${pid}/comm`) ?? '').trim()) || isInContainer(pid))
        return []
      const marked = (readText(`/proc/${pid}/environ`) ?? '').includes(`PLOINKY_TEST_RUN=${run}`)
      if (!marked && !command.includes(scratch) && !linkOf(`/proc/${pid}/cwd`).startsWith(scratch)) return []
      return [{ text: `process ${pid}: ${command.slice(0, 200)}`, pid: Number(pid), start: startTime(Number(pid)) }]
    })
}

/** Processes in a container are the container's, which is listed itself. */
function isInContainer(pid) {
  const namespace = linkOf(`/proc/${pid}/ns/pid`)
  return namespace !== '' && namespace !== linkOf('/proc/self/ns/pid')
}

function linkOf(path) {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function ownFolders(scratch) {
  try {
    return readdirSync(scratch).filter((name) => name.startsWith('ploinky-'))
  } catch {
    return []
  }
}

function call(engine, args) {
  return runAsync([engine.program, ...args], { ...spawnAs(engine), timeoutMs: 60_000 })
}
