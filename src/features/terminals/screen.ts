/**
 * What the terminal of a session shows, kept on the server. Bytes go to the readers first: they are drawn here when there is
 * time, and what waits is bounded (`backlog.ts`).
 */
import { createBacklog } from './backlog.ts'
import { scrollsPlainly } from './internals.ts'
import type { TerminalLibrary } from './library.ts'
import { followColours } from './redefined-colours.ts'
import { takeSnapshot } from './snapshot.ts'

/** Drawn in one go: 2 ms or so, between which keys are passed on. */
const SLICE_BYTES = 64 * 1024
const PIECE_BYTES = 4096
/** More than this waits only while a program writes without a pause, and only plain text. */
const BUSY_BYTES = 128 * 1024
/** A program that wrote nothing for so long makes a pause. */
const QUIET_MS = 20
/** While it does not, this much is drawn at a time, and so long is waited in between: readers need the processor more. */
const BUSY_SLICE_BYTES = 16 * 1024
const BUSY_WAIT_MS = 100
/** Above this, lines that nobody could see are dropped. */
const COMPACT_BYTES = 4 * 1024 * 1024
/** And above this the program waits for the drawing, whatever it writes. */
const FULL_BYTES = 8 * 1024 * 1024
/** Nothing waits longer for an answer of this terminal: a program that floods it must still be reached by Ctrl-C. */
const PATIENCE_MS = 250

export interface Snapshot {
  readonly bytes: Uint8Array
  readonly cols: number
  readonly rows: number
}

export interface ScreenOptions {
  readonly library: TerminalLibrary
  readonly cols: number
  readonly rows: number
  readonly scrollback: number
  /** Longest wait of `answered`, ms. Default 250. */
  readonly patienceMs?: number
  /** The terminal's answer to a question of the program (where the cursor is, what it can do). */
  reply(data: string): void
  titled(title: string): void
}

export interface Screen {
  readonly cols: number
  readonly rows: number
  write(bytes: Uint8Array): void
  /** Null: more may be written. Otherwise a promise of that. */
  full(): Promise<void> | null
  /** For what is written from now on. */
  resize(cols: number, rows: number): void
  /** Calls back with all that was written before this call, and with what has come since. */
  snapshot(deliver: (shot: Snapshot, since: readonly Uint8Array[]) => void): void
  /** Resolves when all that was written so far is drawn, and its questions are answered; after a moment in any case. */
  answered(): Promise<void>
  /** Nothing was written for a moment. */
  readonly isQuiet: boolean
  /** Bytes that wait to be drawn. */
  readonly waiting: number
  /** Bytes that were not drawn, since nobody could have seen them. */
  readonly dropped: number
  dispose(): void
}

type Job =
  | { readonly kind: 'resize'; cols: number; rows: number }
  | { readonly kind: 'snapshot'; deliver: Deliver }
  | { readonly kind: 'call'; call(): void }
type Deliver = Parameters<Screen['snapshot']>[0]

export function createScreen(options: ScreenOptions): Screen {
  const { terminal, serializer } = options.library.create(options)
  const colours = followColours(terminal)
  const backlog = createBacklog<Job>({ keepLines: options.scrollback + 2 * options.rows })
  const size = { cols: options.cols, rows: options.rows }
  let drawing = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastBusy = 0
  let dropped = 0
  let lastWrite = 0
  let insists = false
  let disposed = false
  let compactAt = COMPACT_BYTES
  let release: (() => void) | null = null
  let room: Promise<void> | null = null
  terminal.onData(options.reply)
  terminal.onTitleChange(options.titled)

  function run(job: Job): void {
    if (job.kind === 'resize') return terminal.resize(job.cols, job.rows)
    if (job.kind === 'call') return job.call()
    job.deliver(
      { bytes: takeSnapshot(terminal, serializer, colours.text()), cols: terminal.cols, rows: terminal.rows },
      backlog.bytes(),
    )
  }

  /** True while somebody waits for the drawing. */
  const isUrgent = (): boolean => backlog.jobs > 0 || room !== null || insists
  /** Readers first. */
  const isBusy = (): boolean => backlog.size > BUSY_BYTES && !isUrgent() && performance.now() - lastWrite < QUIET_MS

  function draw(): void {
    timer = undefined
    if (drawing || disposed) return
    for (let job = backlog.job(); job !== null; job = backlog.job()) run(job)
    if (backlog.size === 0) return
    const busy = isBusy()
    if (busy) lastBusy = performance.now()
    drawing = true
    let left = busy ? BUSY_SLICE_BYTES : SLICE_BYTES
    // In pieces, between which xterm looks at the clock: some sequences take long.
    for (;;) {
      const part = backlog.take(Math.min(left, PIECE_BYTES))
      if (part === null) return
      left -= part.byteLength
      const isLast = left <= 0 || !backlog.hasBytes
      terminal.write(part, isLast ? drawn : undefined)
      if (isLast) return
    }
  }

  function drawn(): void {
    drawing = false
    if (backlog.size <= BUSY_BYTES) {
      insists = false
      compactAt = COMPACT_BYTES
    }
    if (room !== null && backlog.size < FULL_BYTES / 2) {
      room = null
      release?.()
    }
    schedule()
  }

  /** Between two drawings; in the middle of one, nothing is known. */
  function compact(): void {
    if (drawing || !scrollsPlainly(terminal)) return
    dropped += backlog.compact()
    // Looked at again when as much has come once more.
    compactAt = Math.max(COMPACT_BYTES, 2 * backlog.size)
    // What cannot be dropped is drawn.
    insists = backlog.size > COMPACT_BYTES
  }

  function schedule(): void {
    if (drawing || disposed || timer !== undefined || (backlog.size === 0 && backlog.jobs === 0)) return
    if (isBusy()) timer = setTimeout(draw, Math.max(0, lastBusy + BUSY_WAIT_MS - performance.now()))
    else draw()
  }

  function hurry(): void {
    clearTimeout(timer)
    timer = undefined
    schedule()
  }

  return {
    get cols() {
      return size.cols
    },
    get rows() {
      return size.rows
    },
    get isQuiet() {
      return performance.now() - lastWrite > QUIET_MS
    },
    get waiting() {
      return backlog.size
    },
    get dropped() {
      return dropped
    },
    write(bytes) {
      if (disposed || bytes.byteLength === 0) return
      backlog.push(bytes)
      lastWrite = performance.now()
      if (backlog.size > compactAt && backlog.jobs === 0) compact()
      schedule()
    },
    full() {
      if (disposed || backlog.size <= FULL_BYTES) return null
      room ??= new Promise<void>((resolve) => (release = resolve))
      hurry()
      return room
    },
    resize(cols, rows) {
      if (disposed || (cols === size.cols && rows === size.rows)) return
      Object.assign(size, { cols, rows })
      backlog.pushJob({ kind: 'resize', cols, rows })
      backlog.keepLines = options.scrollback + 2 * rows
      hurry()
    },
    snapshot(deliver) {
      if (disposed) return
      if (backlog.size > BUSY_BYTES && backlog.jobs === 0) compact()
      backlog.pushJob({ kind: 'snapshot', deliver })
      hurry()
    },
    answered() {
      if (disposed) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, options.patienceMs ?? PATIENCE_MS)
        const call = (): void => {
          clearTimeout(timer)
          resolve()
        }
        backlog.pushJob({ kind: 'call', call })
        hurry()
      })
    },
    dispose() {
      disposed = true
      clearTimeout(timer)
      backlog.clear()
      release?.()
      terminal.dispose()
    },
  }
}
