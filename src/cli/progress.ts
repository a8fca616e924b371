/**
 * Progress lines on stderr. On a terminal, lines with a key are kept below the rest and rewritten in place; elsewhere each
 * change is a line, and a line that differs from the last one of its key only in numbers is left out for two seconds.
 */
import { cut, neutraliseLine, paint, safeJson } from './text.ts'

interface Screen {
  readonly isTTY: boolean
  readonly columns: number
  write(text: string): void
}

interface ProgressOptions {
  readonly screen: Screen
  readonly mode: 'live' | 'plain' | 'json' | 'off'
  readonly color: boolean
  /** Milliseconds; any origin. */
  readonly now: () => number
}

interface Progress {
  report(text: string, key?: string): void
  /** Leaves the lines as they are, so that other text can follow. */
  settle(): void
}

/** More lines than this could scroll out of a small window, where they cannot be rewritten. */
const MOST_LIVE = 12
const REPEAT_AFTER_MS = 2000

export function createProgress(options: ProgressOptions): Progress {
  if (options.mode === 'off') return { report: () => {}, settle: () => {} }
  return options.mode === 'live' ? liveProgress(options) : plainProgress(options)
}

function liveProgress({ screen, color }: ProgressOptions): Progress {
  const live = new Map<string, string>()
  const show = (text: string): string =>
    `${paint('dim', cut(neutraliseLine(text), Math.max(10, screen.columns - 1)), color)}\n`
  /** Moves to the first live line and clears from there. */
  const erase = (): string => (live.size === 0 ? '' : `\u001b[${live.size}A\r\u001b[J`)
  return {
    report(text, key) {
      if (live.get(key ?? '') === text) return
      let output = erase()
      if (key === undefined) {
        output += show(text)
      } else {
        live.set(key, text)
        const oldest = live.keys().next()
        if (live.size > MOST_LIVE && oldest.done !== true) {
          output += show(live.get(oldest.value) ?? '')
          live.delete(oldest.value)
        }
      }
      for (const line of live.values()) output += show(line)
      screen.write(output)
    },
    settle: () => live.clear(),
  }
}

function plainProgress({ screen, mode, now }: ProgressOptions): Progress {
  const last = new Map<string, { shape: string; at: number }>()
  return {
    report(text, key) {
      if (key !== undefined) {
        const shape = text.replace(/\d+(?:[.,]\d+)?/g, '0')
        const before = last.get(key)
        if (before?.shape === shape && now() - before.at < REPEAT_AFTER_MS) return
        last.set(key, { shape, at: now() })
      }
      const record = { progress: key === undefined ? { text } : { key, text } }
      screen.write(`${mode === 'json' ? safeJson(record) : neutraliseLine(text)}\n`)
    },
    settle: () => {},
  }
}
