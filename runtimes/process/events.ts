/**
 * State changes of plain processes. There is no engine that tells; folders are watched, and looked at every second besides,
 * for a process that was killed leaves no file. The same look notes the sizes of the logs, which gives their lines a time.
 */
import { delay } from '../../src/core/time.ts'
import type { RuntimeEvent, Selector } from '../adapter.ts'
import { createLogFiles, type LogFiles } from './log-files.ts'
import type { ProcessRecord } from './record.ts'
import { readState, type ProcessContext, type ProcessState } from './state.ts'

const POLL_MS = 1000

interface Seen extends ProcessState {
  readonly record: ProcessRecord
}

export function watchProcesses(
  context: ProcessContext,
  selector: Selector,
  ended: AbortSignal,
): AsyncIterable<RuntimeEvent> {
  // From now on, not from the first read on: the first look is taken at once, and what is newer than now is told.
  const begin = Date.now()
  const first = context.processes.look().then(() => look(context, selector))
  first.catch(() => {})
  return read({ context, selector, ended, begin, first })
}

interface Watch {
  readonly context: ProcessContext
  readonly selector: Selector
  readonly ended: AbortSignal
  readonly begin: number
  readonly first: Promise<Map<string, Seen>>
}

async function* read({ context, selector, ended, begin, first }: Watch): AsyncGenerator<RuntimeEvent> {
  const changes = createChanges(context)
  const logs = new Map<string, LogFiles>()
  try {
    let before = new Map<string, Seen>()
    let now = await first
    // What had happened before the call is the ground on which later looks are compared.
    for (const [name, seen] of now) {
      const started = Date.parse(seen.record.startedAt) >= begin
      const exited = seen.finishedAt !== null && Date.parse(seen.finishedAt) >= begin
      if (started) continue
      before.set(name, exited ? { ...seen, state: 'running', exitCode: null, finishedAt: null } : seen)
    }
    for (;;) {
      for (const event of compare(before, now)) {
        if (ended.aborted) return
        yield event
      }
      before = now
      await sampleLogs(context, logs, now)
      await changes.next([...now.keys()], ended)
      if (ended.aborted) return
      now = await look(context, selector)
    }
  } finally {
    changes.close()
  }
}

async function look(context: ProcessContext, selector: Selector): Promise<Map<string, Seen>> {
  const names = await context.records.names()
  const seen = await Promise.all(
    names.map(async (name) => {
      // A record that cannot be read is reported where it is asked for; here it is not a change of state.
      const record = await context.records.read(name).catch(() => null)
      if (record === null || record.workspace !== selector.workspace) return null
      if (selector.agent !== undefined && selector.agent !== record.agent) return null
      return { record, ...(await readState(context, record)) }
    }),
  )
  return new Map(seen.flatMap((item) => (item === null ? [] : [[item.record.name, item] as const])))
}

async function sampleLogs(context: ProcessContext, logs: Map<string, LogFiles>, now: Map<string, Seen>): Promise<void> {
  const current = new Set([...now].map(([name, { record }]) => `${name} ${record.run}`))
  for (const key of logs.keys()) if (!current.has(key)) logs.delete(key)
  for (const [name, { record }] of now) {
    // One note keeper a run: a restart begins a new file under the same name.
    const key = `${name} ${record.run}`
    let files = logs.get(key)
    if (files === undefined) {
      files = createLogFiles(context.platform.fs, context.records.paths(name).log)
      logs.set(key, files)
    }
    await files.sample().catch(() => null)
  }
}

/** Events that lead from one look to the next; for each instance oldest first. */
export function compare(before: ReadonlyMap<string, Seen>, now: ReadonlyMap<string, Seen>): RuntimeEvent[] {
  const names = new Set([...before.keys(), ...now.keys()])
  return [...names].flatMap((name) => changesOf(before.get(name), now.get(name)))
}

function changesOf(old: Seen | undefined, current: Seen | undefined): RuntimeEvent[] {
  const sameRun = old !== undefined && old.record.run === current?.record.run
  const events: RuntimeEvent[] = []
  if (old?.state === 'running' && !(sameRun && current?.state === 'running')) {
    // Of a run that has been replaced meanwhile nobody knows the exit code any more.
    events.push(toEvent('exited', sameRun && current !== undefined ? current : { ...old, exitCode: null }))
  }
  if (old !== undefined && old.record.created !== current?.record.created) events.push(toEvent('removed', old))
  if (current === undefined || sameRun) return events
  events.push(toEvent('started', current))
  if (current.state !== 'running') events.push(toEvent('exited', current))
  return events
}

function toEvent(type: 'started' | 'exited' | 'removed', { record, exitCode, finishedAt }: Seen): RuntimeEvent {
  const known = type === 'started' ? record.startedAt : type === 'exited' ? finishedAt : null
  return {
    type,
    name: record.name,
    agent: record.agent,
    at: known ?? new Date().toISOString(),
    exitCode: type === 'exited' ? exitCode : null,
  }
}

/** Waits for a change in the folders, at most until the next look is due. */
function createChanges({ platform, records }: ProcessContext) {
  const watched = new Map<string, () => void>()
  let wake = (): void => {}
  const watch = (path: string): void => {
    if (watched.has(path)) return
    try {
      watched.set(
        path,
        platform.fs.watch(path, () => wake()),
      )
    } catch {
      // Gone already, or no watches left on this system: the next look finds what changed.
    }
  }
  return {
    async next(names: readonly string[], ended: AbortSignal): Promise<void> {
      watch(records.root)
      const wanted = new Set([records.root, ...names.map((name) => records.paths(name).folder)])
      for (const path of wanted) watch(path)
      for (const [path, unwatch] of watched) {
        if (wanted.has(path)) continue
        unwatch()
        watched.delete(path)
      }
      const timer = new AbortController()
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      const due = delay(POLL_MS, AbortSignal.any([timer.signal, ended])).catch(() => {})
      await Promise.race([changed, due])
      timer.abort()
    },
    close(): void {
      for (const unwatch of watched.values()) unwatch()
      watched.clear()
    },
  }
}
