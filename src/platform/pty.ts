/** Host pseudo-terminals by the optional, prebuilt native library. Without it the answer is null, and callers fall back. */
import type { ProcessSpec } from '../core/process.ts'
import { revealed } from '../core/secret.ts'
import type { PtyFactory } from './index.ts'

/** Bytes held for a reader before the terminal is paused. A pause is short: readers drain into a server-side terminal. */
const HIGH_WATER = 1024 * 1024

interface NativePty {
  pid: number
  onData(listener: (data: string | Uint8Array) => void): unknown
  onExit(listener: (event: { exitCode: number; signal?: number }) => void): unknown
  write(data: string | Uint8Array): void
  resize(cols: number, rows: number): void
  kill(signal: string): void
  pause(): void
  resume(): void
}
interface NativeModule {
  spawn(file: string, args: string[], options: Record<string, unknown>): NativePty
}

export async function loadPty(): Promise<PtyFactory | null> {
  let native: NativeModule
  try {
    const loaded = (await import('@lydell/node-pty')) as unknown as NativeModule & { default?: NativeModule }
    native = loaded.default ?? loaded
  } catch {
    return null
  }
  return (spec, size) => {
    const launch = withTail(spec)
    const child = native.spawn(launch.file, launch.args, {
      name: 'xterm-256color',
      encoding: null,
      cols: size.cols,
      rows: size.rows,
      env: environmentOf(spec),
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    })
    const queue = createByteQueue(
      () => child.pause(),
      () => child.resume(),
    )
    child.onData((data) => queue.push(typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data)))
    const exit = new Promise<number>((resolve) => {
      child.onExit(({ exitCode, signal }) => {
        queue.end()
        resolve(signal ? 128 + signal : exitCode)
      })
    })
    return {
      pid: child.pid,
      output: queue.bytes(),
      exit,
      write: (data) => child.write(data),
      resize: (cols, rows) => child.resize(cols, rows),
      kill: (signal) => child.kill(signal),
    }
  }
}

/** Variables that are `undefined` are removed; the library would pass their name with the text "undefined". */
function environmentOf(spec: ProcessSpec): Record<string, string> {
  const merged = { ...process.env, ...spec.env }
  return Object.fromEntries(
    Object.entries(merged).flatMap(([name, value]) => (value === undefined ? [] : [[name, revealed(value)]])),
  )
}

/**
 * The library stops reading when the child ends, and what the terminal still holds is lost (seen under load in two of
 * three runs). A fixed script keeps the terminal open for a moment after the program; its handlers let it outlive a Ctrl-C.
 */
const KEEP_OPEN = 'trap : INT QUIT; "$@"; code=$?; sleep 0.1; exit $code'

const withTail = (spec: ProcessSpec): { file: string; args: string[] } =>
  process.platform === 'win32'
    ? { file: spec.file, args: [...spec.args] }
    : { file: '/bin/sh', args: ['-c', KEEP_OPEN, 'sh', spec.file, ...spec.args] }

function createByteQueue(pause: () => void, resume: () => void) {
  const chunks: Uint8Array[] = []
  let size = 0
  let ended = false
  let paused = false
  let wake = (): void => {}
  return {
    push(chunk: Uint8Array): void {
      chunks.push(chunk)
      size += chunk.byteLength
      if (size > HIGH_WATER && !paused) {
        paused = true
        pause()
      }
      wake()
    },
    end(): void {
      ended = true
      wake()
    },
    async *bytes(): AsyncGenerator<Uint8Array> {
      for (;;) {
        const chunk = chunks.shift()
        if (chunk !== undefined) {
          size -= chunk.byteLength
          if (paused && size < HIGH_WATER / 2) {
            paused = false
            resume()
          }
          yield chunk
        } else if (ended) {
          return
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
  }
}
