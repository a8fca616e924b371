/** `health` and `restart` -> probes and policy with every number filled in. Defaults: those that manifests in the wild rely on. */
import { type Problem, show } from '../check.ts'
import { childPath } from '../../core/json.ts'
import { splitWords } from './words.ts'
import type { Raw, RawProbe } from './schema.ts'
import type { Health, Probe, ProbeAction, RestartPolicy } from './types.ts'

const DEFAULTS = { interval: 1, timeout: 5, failureThreshold: 5, successThreshold: 1 } as const
export const DEFAULT_RESTART: RestartPolicy = {
  policy: 'always',
  maxRestarts: 5,
  windowSeconds: 60,
  backoffSeconds: 1,
  maxBackoffSeconds: 30,
  resetSeconds: 60,
}
const ACTIONS = ['script', 'exec', 'http', 'tcp', 'mcp'] as const
/** A file of the code folder and nothing else. */
const SCRIPT = /^[A-Za-z0-9_][\w.-]*$/

function scriptAction(script: string, path: string, problems: Problem[]): ProbeAction | null {
  if (SCRIPT.test(script)) return { kind: 'exec', argv: ['sh', `./${script}`] }
  problems.push({
    path: `${path}.script`,
    message: `expected the name of a file in the code folder, found ${show(script)}`,
  })
  return null
}

function execAction(exec: string | readonly string[], path: string, problems: Problem[]): ProbeAction | null {
  const { words, closed } = typeof exec === 'string' ? splitWords(exec) : { words: exec, closed: true }
  if (words.length > 0 && closed) return { kind: 'exec', argv: words }
  problems.push({ path: `${path}.exec`, message: closed ? 'expected a command' : 'a quote is not closed' })
  return null
}

function actionOf(raw: RawProbe, path: string, problems: Problem[]): ProbeAction | null {
  const given = ACTIONS.filter((name) => raw[name] !== undefined)
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ')
    problems.push({ path, message: `expected one of ${ACTIONS.join(', ')}, found ${found}` })
    return null
  }
  if (raw.script !== undefined) return scriptAction(raw.script, path, problems)
  if (raw.exec !== undefined) return execAction(raw.exec, path, problems)
  if (raw.tcp !== undefined) {
    const port = typeof raw.tcp === 'number' ? raw.tcp : raw.tcp === true ? null : (raw.tcp.port ?? null)
    return { kind: 'tcp', port }
  }
  if (raw.mcp !== undefined) return { kind: 'mcp' }
  const http = typeof raw.http === 'string' ? { path: raw.http } : (raw.http ?? {})
  const place = http.path ?? '/'
  if (/^\/[!-~]{0,2047}$/.test(place)) return { kind: 'http', port: http.port ?? null, path: place }
  problems.push({ path: `${path}.http`, message: `expected a path such as "/health", found ${show(place)}` })
  return null
}

function probeOf(raw: RawProbe | undefined, path: string, problems: Problem[]): Probe | null {
  if (raw === undefined) return null
  const action = actionOf(raw, path, problems)
  if (action === null) return null
  return {
    action,
    initialDelaySeconds: raw.initialDelay ?? 0,
    intervalSeconds: raw.interval ?? DEFAULTS.interval,
    timeoutSeconds: raw.timeout ?? DEFAULTS.timeout,
    failureThreshold: raw.failureThreshold ?? raw.retries ?? DEFAULTS.failureThreshold,
    successThreshold: raw.successThreshold ?? DEFAULTS.successThreshold,
    continuous: raw.continuous ?? true,
    path,
  }
}

export function healthOf({ health }: Raw, problems: Problem[]): Health {
  const probe = (name: 'startup' | 'liveness' | 'readiness') =>
    probeOf(health?.[name], childPath('health', name), problems)
  return { startup: probe('startup'), liveness: probe('liveness'), readiness: probe('readiness') }
}

export function restartOf({ restart }: Raw, problems: Problem[]): RestartPolicy {
  if (restart === undefined) return DEFAULT_RESTART
  const given = typeof restart === 'string' ? { policy: restart } : restart
  const pick = (name: Exclude<keyof RestartPolicy, 'policy'>): number => given[name] ?? DEFAULT_RESTART[name]
  const policy: RestartPolicy = {
    policy: given.policy ?? DEFAULT_RESTART.policy,
    maxRestarts: pick('maxRestarts'),
    windowSeconds: pick('windowSeconds'),
    backoffSeconds: pick('backoffSeconds'),
    maxBackoffSeconds: Math.max(pick('maxBackoffSeconds'), pick('backoffSeconds')),
    resetSeconds: pick('resetSeconds'),
  }
  if (policy.backoffSeconds === 0)
    problems.push({
      path: 'restart.backoffSeconds',
      message: 'expected more than 0: a crash loop would take a processor',
    })
  return policy
}
