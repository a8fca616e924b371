/**
 * Tasks: work that outlives the call that began it. Every task has a record in a store, written before its handle is
 * given away; what was running when the server went away is told as failed, never as still running. Knows neither MCP
 * nor commands: whoever creates a task says what it does.
 */
import type { JsonObject } from './check.ts'
import { isObject } from './check.ts'
import { BusyError, createGate } from './gate.ts'
import { LIMITS } from './limits.ts'
import type { TailText } from './tail.ts'
import { createTail } from './tail.ts'
import type { TaskQuestions } from './task-questions.ts'
import { createTaskQuestions } from './task-questions.ts'
import type { TaskRecord } from './task-record.ts'
import { isOver, newTaskId, parseTaskRecord } from './task-record.ts'
import type { AgentLog, TaskStore } from './types.ts'

/** What a running task may say about itself. */
export interface TaskScope {
  readonly id: string
  readonly signal: AbortSignal
  /** Adds to the end of the log. */
  output: (text: string) => void
  /** What it is doing, in a line. */
  status: (message: string) => void
  /** Waits for the client's answers to these requests, by their keys; they may come one by one. Rejects when the task ends. */
  ask: (requests: JsonObject) => Promise<JsonObject>
}

/** A failure that the protocol has a code for. */
export class TaskError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export interface NewTask {
  toolName: string
  /** Who may see and cancel it: the subject of an invocation; absent is everybody who knows the id. */
  owner?: string
  /** It began before it was a task: it waits for no place. */
  isRunning?: boolean
  /** The result of the call; rejecting is a fault of ours and not of the tool. */
  work: (task: TaskScope) => Promise<JsonObject>
}

export interface Tasks {
  /** Resolves with the record when it is stored. Rejects with BusyError when too many wait. */
  create: (task: NewTask) => Promise<TaskRecord>
  /** The record as it is now; null for an unknown id and for somebody else's. */
  get: (id: string, caller: string | undefined) => Promise<TaskRecord | null>
  /** Asks a task to stop; false for an unknown id. One that is over stays as it is. */
  cancel: (id: string, caller: string | undefined) => Promise<boolean>
  /** The client's answers to what a task asks for; false for an unknown id. What was not asked for is left out. */
  update: (id: string, caller: string | undefined, responses: JsonObject) => Promise<boolean>
  configure: (options: { parallel?: number | undefined; tailBytes?: number | undefined }) => void
  /** Looks for what an earlier process left; every other call does so as well. */
  recover: () => Promise<void>
  /** Tasks that are not over. */
  active: () => number
  /** Stops everything; what was running is stored as failed. */
  close: () => Promise<void>
}

export interface TasksOptions {
  store: TaskStore
  log: AgentLog
  /** Whose end ends its tasks, as people know it. */
  keeper?: string
  /** Ends what may still run of a task of an earlier process. */
  endLost?: ((id: string) => Promise<void>) | undefined
  /** Milliseconds since 1970. */
  now?: () => number
  limits?: Partial<Record<'waitingTasks' | 'taskRetentionMs' | 'finishedTasks' | 'finishedTaskBytes', number>>
}

interface Running {
  record: TaskRecord
  readonly abort: AbortController
  readonly tail: TailText
  cancelled: boolean
  readonly questions: TaskQuestions
  /** Writes of one record follow each other. */
  writing: Promise<void>
  timer: ReturnType<typeof setTimeout> | undefined
  /** Settles when it is over and its record is stored. */
  done: Promise<void>
}

/** What is kept in memory of a task that is over; the rest is in the store. */
interface Finished {
  readonly at: number
  readonly bytes: number
}

export function createTasks(options: TasksOptions): Tasks {
  const { store, log, keeper = 'agent' } = options
  const stopped = `The ${keeper} was stopped while the task was running`
  const restarted = `The ${keeper} was restarted while the task was running`
  const limits = { ...LIMITS, ...options.limits }
  const now = options.now ?? Date.now
  const gate = createGate({ parallel: limits.parallelTasks, waiting: Number.POSITIVE_INFINITY })
  const running = new Map<string, Running>()
  const finished = new Map<string, Finished>()
  /** Ends that the store would not take. */
  const unwritten = new Map<string, TaskRecord>()
  let tailBytes: number = limits.taskLogTailBytes
  let loading: Promise<void> | undefined
  let closed = false

  /** Once, before the first use: what an earlier process left is finished business. */
  const ready = (): Promise<void> => (loading ??= load())

  async function load(): Promise<void> {
    for (const id of await store.list()) {
      try {
        const text = await store.read(id)
        const record = text === null ? null : parseTaskRecord(text, id)
        if (record === null) continue
        if (isOver(record)) note(record, text?.length ?? 0)
        else {
          const lost = { ...record, ...ended('failed'), error: restarted, statusMessage: restarted }
          note(lost, await write(lost))
          await options.endLost?.(id)
        }
      } catch (error) {
        log('error', 'Task of an earlier process could not be dealt with', { task: id, error: String(error) })
      }
    }
    await sweep()
  }

  const stamp = (): string => new Date(now()).toISOString()
  const ended = (state: 'completed' | 'failed' | 'cancelled') => {
    const at = stamp()
    return { state, updatedAt: at, finishedAt: at }
  }

  function note(record: TaskRecord, bytes: number): void {
    finished.set(record.id, { at: Date.parse(record.finishedAt ?? record.updatedAt), bytes })
  }

  async function write(record: TaskRecord): Promise<number> {
    const text = JSON.stringify(record)
    await store.write(record.id, text)
    return text.length
  }

  /** Gives up what is too old, and the oldest of what is too much. */
  async function sweep(): Promise<void> {
    const oldest = now() - limits.taskRetentionMs
    const order = [...finished].toSorted((a, b) => a[1].at - b[1].at)
    let bytes = order.reduce((sum, [, entry]) => sum + entry.bytes, 0)
    for (const [id, entry] of order) {
      if (entry.at > oldest && finished.size <= limits.finishedTasks && bytes <= limits.finishedTaskBytes) break
      finished.delete(id)
      unwritten.delete(id)
      bytes -= entry.bytes
      await store.remove(id)
    }
  }

  /** The record with the log, and what is asked, as they are now. */
  function snapshot({ record, tail, questions }: Running): TaskRecord {
    const inputRequests = questions.waiting()
    return { ...record, ...tail.read(), ...(inputRequests === undefined ? {} : { inputRequests }) }
  }

  function save(entry: Running): Promise<void> {
    entry.writing = entry.writing
      .then(async () => void (await write(snapshot(entry))))
      .catch((error: unknown) => log('error', 'Record of a task could not be written', { error: String(error) }))
    return entry.writing
  }

  /** A chatty task must not keep the disk busy. */
  function saveSoon(entry: Running): void {
    entry.record = { ...entry.record, updatedAt: stamp() }
    entry.timer ??= setTimeout(() => {
      entry.timer = undefined
      void save(entry)
    }, LIMITS.taskSaveIntervalMs)
  }

  function scopeOf(entry: Running): TaskScope {
    return {
      id: entry.record.id,
      signal: entry.abort.signal,
      output: (text) => {
        entry.tail.push(text)
        saveSoon(entry)
      },
      status: (message) => {
        entry.record = { ...entry.record, statusMessage: message.slice(0, LIMITS.errorChars) }
        saveSoon(entry)
      },
      ask: (requests) => {
        const answers = entry.questions.ask(requests, entry.abort.signal)
        entry.record = { ...entry.record, updatedAt: stamp() }
        void save(entry)
        return answers
      },
    }
  }

  /** Nobody is told that an answer was taken before it is stored what is still asked for. */
  async function answer(entry: Running, responses: JsonObject): Promise<void> {
    const goOn = entry.questions.answer(responses)
    entry.record = { ...entry.record, updatedAt: stamp() }
    await save(entry)
    goOn?.()
  }

  async function perform(entry: Running, { work, isRunning }: NewTask): Promise<void> {
    const { signal } = entry.abort
    const begin = (): Promise<JsonObject> => {
      entry.record = { ...entry.record, state: 'running', updatedAt: stamp() }
      void save(entry)
      return work(scopeOf(entry))
    }
    let outcome: Partial<TaskRecord>
    try {
      signal.throwIfAborted()
      outcome = resultOf(await (isRunning === true ? begin() : gate.run(begin, signal)))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const code = error instanceof TaskError ? { errorCode: error.code } : {}
      outcome = { ...ended('failed'), ...code, error: message, statusMessage: message }
    }
    if (signal.aborted) outcome = aborted(entry)
    await conclude(entry, outcome)
  }

  /** Nobody is told of an end before it is stored: a result that was seen is not lost afterwards. */
  async function conclude(entry: Running, outcome: Partial<TaskRecord>): Promise<void> {
    clearTimeout(entry.timer)
    await entry.writing
    const { statusMessage: _said, inputRequests: _asked, ...kept } = snapshot(entry)
    const record: TaskRecord = { ...kept, ...outcome }
    const text = JSON.stringify(record)
    try {
      await store.write(record.id, text)
    } catch (error) {
      log('error', 'Result of a task could not be written: it is lost when the agent ends', { error: String(error) })
      unwritten.set(record.id, record)
    }
    note(record, text.length)
    running.delete(record.id)
    log('info', 'Task ended', { task: record.id, tool: record.toolName, state: record.state })
    await sweep()
  }

  function resultOf(result: JsonObject): Partial<TaskRecord> {
    if (result['isError'] !== true) return { ...ended('completed'), result }
    const [block] = Array.isArray(result['content']) ? (result['content'] as unknown[]) : []
    const text = isObject(block) ? block['text'] : undefined
    return { ...ended('failed'), result, error: typeof text === 'string' ? text : 'The tool failed' }
  }

  function aborted({ cancelled }: Running): Partial<TaskRecord> {
    return cancelled
      ? { ...ended('cancelled'), error: 'The task was cancelled' }
      : { ...ended('failed'), error: stopped, statusMessage: stopped }
  }

  async function stored(id: string): Promise<TaskRecord | null> {
    const text = await store.read(id)
    return text === null ? null : parseTaskRecord(text, id)
  }

  const mayTouch = (record: TaskRecord, caller: string | undefined): boolean =>
    record.owner === undefined || record.owner === caller

  async function get(id: string, caller: string | undefined): Promise<TaskRecord | null> {
    await ready()
    await sweep()
    const entry = running.get(id)
    if (entry === undefined && !finished.has(id)) return null
    const record = entry === undefined ? (unwritten.get(id) ?? (await stored(id))) : snapshot(entry)
    return record !== null && mayTouch(record, caller) ? record : null
  }

  return {
    get,
    recover: ready,
    create: async (task) => {
      const { toolName, owner } = task
      await ready()
      if (closed) throw new Error('The agent is stopping')
      if (running.size - gate.running() >= limits.waitingTasks) throw new BusyError(gate.running())
      const at = stamp()
      const record: TaskRecord = {
        version: 1,
        ...{ id: newTaskId(), toolName, state: 'pending', createdAt: at, updatedAt: at },
        ...{ logTail: '', logSeq: 0, logTruncated: false },
        ...(owner === undefined ? {} : { owner }),
      }
      const entry: Running = {
        record,
        abort: new AbortController(),
        tail: createTail(() => tailBytes),
        cancelled: false,
        questions: createTaskQuestions(),
        writing: Promise.resolve(),
        timer: undefined,
        done: Promise.resolve(),
      }
      running.set(record.id, entry)
      // A handle that is given away must be found again, also after a power cut: no record, no task.
      const stored = write(record)
      entry.done = stored.then(
        () => perform(entry, task),
        () => void running.delete(record.id),
      )
      await stored
      return record
    },
    cancel: async (id, caller) => {
      const record = await get(id, caller)
      const entry = running.get(id)
      if (record !== null && entry !== undefined) {
        entry.cancelled = true
        entry.abort.abort()
      }
      return record !== null
    },
    update: async (id, caller, responses) => {
      const record = await get(id, caller)
      const entry = running.get(id)
      if (record !== null && entry !== undefined) await answer(entry, responses)
      return record !== null
    },
    configure: ({ parallel, tailBytes: bytes }) => {
      gate.resize(parallel ?? limits.parallelTasks)
      tailBytes = bytes ?? limits.taskLogTailBytes
    },
    active: () => running.size,
    close: async () => {
      closed = true
      for (const entry of running.values()) entry.abort.abort()
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done))
    },
  }
}
