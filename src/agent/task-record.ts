import type { JsonObject } from './check.ts'
import { isObject } from './check.ts'
import { pick } from './fields.ts'
import { LIMITS } from './limits.ts'

export const TASK_STATES = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const
export type TaskState = (typeof TASK_STATES)[number]

/** What is stored of a task. Times are ISO 8601 in UTC. */
export interface TaskRecord {
  version: 1
  id: string
  toolName: string
  /** `failed` holds a `result` when the tool itself said so, and none when it could not be run to its end. */
  state: TaskState
  createdAt: string
  updatedAt: string
  finishedAt?: string
  /** Subject of the invocation that made it. */
  owner?: string
  statusMessage?: string
  error?: string
  /** JSON-RPC code of `error`, where it has one of its own. */
  errorCode?: number
  /** What it waits for: requests to the client by their keys, as in a result of type `input_required`. */
  inputRequests?: JsonObject
  /** The result of the call (`CallToolResult`). */
  result?: JsonObject
  logTail: string
  logSeq: number
  logTruncated: boolean
}

const ID = /^[0-9a-f]{32}$/

/** 128 random bits: whoever knows the id was given it. */
export function newTaskId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Ids become names of files: anything else is nobody's. */
export const isTaskId = (id: unknown): id is string => typeof id === 'string' && ID.test(id)

export const isOver = ({ state }: TaskRecord): boolean => state !== 'pending' && state !== 'running'

/** Reads a stored record; null when it is none. An agent may write into its own folder, so nothing is taken for granted. */
export function parseTaskRecord(text: string, id: string): TaskRecord | null {
  if (text.length > LIMITS.taskRecordBytes) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(value) || value['version'] !== 1 || value['id'] !== id) return null
  const state = TASK_STATES.find((entry) => entry === value['state'])
  const [toolName, createdAt, updatedAt] = [
    value['toolName'],
    readTime(value['createdAt']),
    readTime(value['updatedAt']),
  ]
  if (state === undefined || typeof toolName !== 'string' || createdAt === undefined || updatedAt === undefined)
    return null
  const text_ = (key: string): string | undefined => (typeof value[key] === 'string' ? value[key] : undefined)
  const { result, logSeq, errorCode, inputRequests } = value
  return {
    version: 1,
    ...{ id, toolName, state, createdAt, updatedAt },
    ...pick({
      finishedAt: readTime(value['finishedAt']),
      owner: text_('owner'),
      statusMessage: text_('statusMessage'),
      error: text_('error'),
      result: isObject(result) ? result : undefined,
      errorCode: Number.isInteger(errorCode) ? (errorCode as number) : undefined,
      inputRequests: isObject(inputRequests) ? inputRequests : undefined,
    }),
    logTail: text_('logTail') ?? '',
    logSeq: typeof logSeq === 'number' ? logSeq : 0,
    logTruncated: value['logTruncated'] === true,
  }
}

function readTime(value: unknown): string | undefined {
  return typeof value === 'string' && Number.isFinite(Date.parse(value)) ? value : undefined
}

/** The answer of `GET /getTaskStatus`: four states, because those who ask there wait on with every other word. */
export function taskStatus(record: TaskRecord): JsonObject {
  const { id, toolName, state, createdAt, updatedAt, error, result, logTail, logSeq, logTruncated } = record
  return {
    task: {
      ...{ id, toolName, status: state === 'cancelled' ? 'failed' : state, createdAt, updatedAt },
      ...{ error: error ?? null, result: result ?? null, logTail, logSeq, logTruncated },
    },
  }
}

/**
 * A task as the Tasks extension (`io.modelcontextprotocol/tasks`, revision 2026-07-28) shows it. A tool that failed is a
 * completed task with a result that says so; `failed` is kept for what never got a result.
 */
export function extensionTask(record: TaskRecord, retentionMs: number = LIMITS.taskRetentionMs): JsonObject {
  const { id, createdAt, updatedAt, statusMessage, finishedAt, inputRequests, errorCode = -32603 } = record
  const status = statusOf(record)
  return {
    ...{ taskId: id, status, createdAt, lastUpdatedAt: updatedAt },
    // What runs is never given up; what is over lives on for a while.
    ttlMs: finishedAt === undefined ? null : Math.max(1, Date.parse(finishedAt) - Date.parse(createdAt) + retentionMs),
    pollIntervalMs: LIMITS.taskPollIntervalMs,
    ...pick({ statusMessage }),
    ...(status === 'completed' ? { result: record.result ?? { content: [] } } : {}),
    ...(status === 'failed' ? { error: { code: errorCode, message: record.error ?? 'The task failed' } } : {}),
    ...(status === 'input_required' ? { inputRequests } : {}),
  }
}

function statusOf(record: TaskRecord): string {
  if (!isOver(record)) return record.inputRequests === undefined ? 'working' : 'input_required'
  return record.result === undefined ? record.state : 'completed'
}
