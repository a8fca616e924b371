/** Doing something through the API, and saying what came of it. */
import { useEffect, useState } from 'preact/hooks'
import type { ApiError, Method } from '../shared/api.ts'
import { call } from '../shared/api.ts'
import { commandIn } from './model.ts'
import { asApiError, notify, onEvent, refresh } from './store.ts'

export interface Task {
  readonly method: Method
  readonly path: string
  readonly body?: unknown
  /** In the past: "Enabled demo". */
  readonly done: string
  /** "Could not enable demo". */
  readonly failed: string
  /** The same in a terminal. */
  readonly command: string | null
}

/** Gives the answer, or null after a failure, which was told. */
export async function perform(task: Task): Promise<{ readonly answer: unknown } | null> {
  try {
    const answer = await call(task.method, task.path, task.body)
    notify({ tone: 'ok', title: task.done, text: null, code: null, command: task.command })
    void refresh()
    return { answer }
  } catch (error) {
    tellFailure(task.failed, asApiError(error))
    return null
  }
}

export function tellFailure(title: string, { message, hint, code }: ApiError): void {
  const command = hint === null ? null : commandIn(hint)
  const text = hint === null || command !== null ? message : `${message}. ${hint}`
  notify({ tone: 'bad', title, text, code, command })
}

export interface Loaded<Data> {
  /** Null until the first answer. */
  readonly data: Data | null
  readonly problem: ApiError | null
  reload(): Promise<void>
}

/** Bursts of events ask once. */
const AFTER_EVENT_MS = 300

/** Reads an address of the API, again whenever an event says that it may be different. `null` reads nothing. */
export function useLoad<Data>(
  path: string | null,
  read: (body: unknown) => Data,
  { on }: { readonly on?: RegExp } = {},
): Loaded<Data> {
  const [state, setState] = useState<{ path: string | null; data: Data | null; problem: ApiError | null }>({
    ...{ path, data: null, problem: null },
  })
  const load = async (): Promise<void> => {
    if (path === null) return
    try {
      const data = read(await call('GET', path))
      setState({ path, data, problem: null })
    } catch (error) {
      setState((before) => ({ path, data: before.path === path ? before.data : null, problem: asApiError(error) }))
    }
  }
  useEffect(() => {
    void load()
    if (on === undefined) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const off = onEvent(({ event }) => {
      if (!on.test(event)) return
      timer ??= setTimeout(() => {
        timer = undefined
        void load()
      }, AFTER_EVENT_MS)
    })
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [path])
  return {
    data: state.path === path ? state.data : null,
    problem: state.path === path ? state.problem : null,
    reload: load,
  }
}
