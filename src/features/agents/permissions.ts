/** What an agent gets when it is started, in plain words: derived from the very plan that is carried out. Pure. */
import type { ExplainedPlan } from './plan/explain.ts'

export interface PlainPermission {
  readonly topic:
    'runtime' | 'network' | 'ports' | 'files' | 'secrets' | 'calls' | 'commands' | 'machine' | 'limits' | 'agents'
  /** `danger`: it leaves its container, or can change what is not its own. `notable`: more than every agent gets. */
  readonly level: 'plain' | 'notable' | 'danger'
  readonly text: string
  /** Where it is asked for: a place in the manifest, or who says so. */
  readonly from: string
}

/** What every agent gets of the workspace itself. */
const GIVEN = new Set(['ploinky', 'calls of agents', 'package.json', 'state stays hidden'])
const ENGINE_SOCKET = /(?:^|\/)(?:docker|podman)\.sock$/
const GIB = 1024 ** 3

const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** The ones that matter most come first. */
export function permissionsOf(plan: ExplainedPlan, workspaceRoot: string): PlainPermission[] {
  const found = [
    ...machine(plan),
    ...runtime(plan),
    ...network(plan),
    ...ports(plan),
    ...files(plan, workspaceRoot),
    ...values(plan),
    ...others(plan),
    ...limits(plan),
  ]
  const order = ['danger', 'notable', 'plain']
  return found.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
}

function machine({ hooks, security }: ExplainedPlan): PlainPermission[] {
  const lines = hooks.map(({ where, line, from }): PlainPermission => {
    const onHost = where === 'this machine'
    return {
      topic: 'commands',
      level: onHost ? 'danger' : 'plain',
      text: onHost
        ? `Runs on this machine, as you, outside of any container: ${line}`
        : `Runs in its container: ${line}`,
      from,
    }
  })
  const { privileged, gpus, addCapabilities, from } = security
  return [
    ...lines,
    ...(privileged
      ? [
          {
            topic: 'machine',
            level: 'danger',
            text: 'Is privileged: its container can do what root can do here',
            from,
          } as const,
        ]
      : []),
    ...(addCapabilities.length > 0
      ? [
          {
            topic: 'machine',
            level: 'danger',
            text: `Gets capabilities of the kernel: ${list(addCapabilities)}`,
            from,
          } as const,
        ]
      : []),
    ...(gpus === null
      ? []
      : [{ topic: 'machine', level: 'notable', text: 'Uses the graphics processors', from } as const]),
  ]
}

function runtime({ image, usesImage, runtime: name }: ExplainedPlan): PlainPermission[] {
  const { value, from } = image
  if (!usesImage) {
    const text = `Runs as a process of this machine (${name}), not in a container`
    return [{ topic: 'runtime', level: 'notable', text, from: 'runtime' }]
  }
  const text = `Runs the image ${value ?? 'that its manifest leaves open'} in a container of its own (${name})`
  return [{ topic: 'runtime', level: 'plain', text, from }]
}

function network({ network: { value, from } }: ExplainedPlan): PlainPermission[] {
  if (value.mode === 'host') {
    const text = 'Uses the network of this machine itself: it reaches every service here, and opens any port'
    return [{ topic: 'network', level: 'danger', text, from }]
  }
  if (value.mode === 'none') return [{ topic: 'network', level: 'plain', text: 'Has no network', from }]
  const names = value.mode === 'networks' ? value.attachments.map(({ name }) => name) : []
  const shared = names.length === 0 ? '' : `, and agents in the network ${list(names)}`
  return [{ topic: 'network', level: 'plain', text: `Reaches the internet${shared}`, from }]
}

/** `127.0.0.1:any:7000/tcp`: an address of this machine, its port (or any free one), the port of the agent. */
function ports({ ports: { value, from } }: ExplainedPlan): PlainPermission[] {
  return value.map((port) => {
    const isLocal = port.startsWith('127.') || port.startsWith('::1')
    const [, host = '', inside = port] = /:([^:]+):([^:]+)$/.exec(port) ?? []
    const where = host === 'any' ? 'a free port' : `port ${host}`
    const text = `Listens on ${where} of this machine (its own is ${inside})${isLocal ? '' : ', open to other machines'}`
    return { topic: 'ports', level: isLocal ? 'plain' : 'danger', text, from }
  })
}

function files({ mounts }: ExplainedPlan, root: string): PlainPermission[] {
  return mounts
    .filter(({ from }) => !GIVEN.has(from))
    .map(({ source, mode, from, target }) => {
      if (ENGINE_SOCKET.test(source)) {
        const text = `Controls the container engine (${source}), and with it this machine`
        return { topic: 'files', level: 'danger', text, from }
      }
      const writes = mode === 'rw'
      const isInside = source === root || source.startsWith(`${root}/`)
      const text = `${writes ? 'Reads and changes' : 'Reads'} ${source}${source === target ? '' : `, as ${target}`}`
      const isWhole = source === root
      const level = !isInside && writes ? 'danger' : isWhole || !isInside ? 'notable' : 'plain'
      return { topic: 'files', level: target === '/code' || target.startsWith('/code/') ? 'plain' : level, text, from }
    })
}

function values({ env, missing }: ExplainedPlan): PlainPermission[] {
  const secrets = env.filter(({ value, from }) => value === null && from !== 'ploinky')
  return [
    ...secrets.map(
      ({ name, from }) => ({ topic: 'secrets', level: 'notable', text: `Is given the secret ${name}`, from }) as const,
    ),
    ...missing.map(
      ({ variable, neededBy }) =>
        ({
          topic: 'secrets',
          level: 'notable',
          text: `Needs a value for ${variable}, which has none yet`,
          from: neededBy,
        }) as const,
    ),
  ]
}

function others({ calls, needs }: ExplainedPlan): PlainPermission[] {
  return [
    ...calls.map(({ agent, tools, from }): PlainPermission => {
      const what = tools === null ? `everything of the agent ${agent}` : `${list(tools)} of the agent ${agent}`
      return { topic: 'calls', level: 'notable', text: `May call ${what}`, from }
    }),
    ...needs.map(({ name, from }): PlainPermission => {
      return { topic: 'agents', level: 'notable', text: `Enables and starts the agent ${name} with it`, from }
    }),
  ]
}

function limits({ limits: { memoryBytes, cpus, pids, from } }: ExplainedPlan): PlainPermission[] {
  const memory = memoryBytes === null ? 'all the memory' : `${(memoryBytes / GIB).toFixed(1)} GiB of memory`
  const processors = cpus === null ? 'every processor' : `${cpus} processors`
  return [
    {
      topic: 'limits',
      level: 'plain',
      text: `May use ${memory}, ${processors} and ${pids ?? 'any number of'} processes`,
      from,
    },
  ]
}
