/**
 * Writes what a terminal shows as an asciicast, version 3: https://docs.asciinema.org/manual/asciicast/v3/
 * What is typed is not in it. A recording ends by itself at its largest size, or when the disk cannot keep up.
 */
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { FileSystem } from '../../platform/index.ts'

const FLUSH_MS = 500
const FLUSH_CHARS = 64 * 1024
/** Waits for the disk; more is a disk that cannot keep up. */
const MAX_WAITING_CHARS = 8 * 1024 * 1024

export interface RecorderOptions {
  readonly fs: Pick<FileSystem, 'append'>
  readonly log: Logger
  readonly path: string
  readonly cols: number
  readonly rows: number
  readonly title: string
  readonly command: string
  readonly maxBytes: number
  /** It ended by itself. */
  full(reason: string): void
}

export interface Recorder {
  output(bytes: Uint8Array): void
  resize(cols: number, rows: number): void
  /** Resolves when all is written. `exitCode`: null when the program goes on. */
  end(exitCode: number | null): Promise<void>
}

export function createRecorder(options: RecorderOptions): Recorder {
  const decoder = new TextDecoder()
  let last = performance.now()
  let waiting = ''
  let writtenChars = 0
  let writing: Promise<void> = Promise.resolve()
  let inFlight = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (waiting === '') return
    const text = waiting
    waiting = ''
    inFlight += text.length
    writing = writing
      .then(() => options.fs.append(options.path, text, { mode: 0o600 }))
      .catch((error: unknown) => {
        options.log.warn('recording not written', { path: options.path, error: messageOf(error) })
        stop('it could not be written')
      })
      .finally(() => (inFlight -= text.length))
  }

  function line(value: unknown): void {
    const text = `${JSON.stringify(value)}\n`
    waiting += text
    writtenChars += text.length
    if (waiting.length > FLUSH_CHARS) flush()
    else timer ??= setTimeout(flush, FLUSH_MS)
  }

  function event(code: 'o' | 'r' | 'x' | 'm', data: string): void {
    if (isOver) return
    const now = performance.now()
    line([Number(((now - last) / 1000).toFixed(3)), code, data])
    last = now
    // A character is three bytes at most, so this is early rather than late.
    if (code === 'o' && writtenChars > options.maxBytes) stop('it has its largest size')
    else if (inFlight > MAX_WAITING_CHARS) stop('the disk cannot keep up')
  }

  function stop(reason: string): void {
    if (isOver) return
    event('m', `recording ended: ${reason}`)
    isOver = true
    flush()
    options.full(reason)
  }

  line({
    ...{ version: 3, term: { cols: options.cols, rows: options.rows, type: 'xterm-256color' } },
    ...{ timestamp: Math.round(Date.now() / 1000), title: options.title, command: options.command },
  })
  return {
    output(bytes) {
      const text = decoder.decode(bytes, { stream: true })
      if (text !== '') event('o', text)
    },
    resize: (cols, rows) => event('r', `${cols}x${rows}`),
    async end(exitCode) {
      if (exitCode !== null) event('x', String(exitCode))
      isOver = true
      flush()
      await writing
    },
  }
}
