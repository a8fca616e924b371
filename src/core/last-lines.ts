/** The last words of a program, for an error or an event. */
import { pause } from './time.ts'

/** Lines that are kept with an end, and how much of each: as many as a crash of Node prints (a stack of ten, and around it). */
const LINES = 20
const LINE_LENGTH = 500
/** A log that cannot be read must not hold up what comes after it: a restart, an answer. */
const READ_MS = 2000

/** Adds one, and lets the oldest go. */
export function keepLast(lines: string[], line: string): void {
  lines.push(line)
  if (lines.length > LINES) lines.shift()
}

export type LogReader = (tail: number, signal: AbortSignal) => AsyncIterable<{ readonly text: string }>

/** At most twenty lines, those that came in time. Never throws: a container that was removed meanwhile has no log. */
export async function readLastLines(read: LogReader, { withinMs = READ_MS } = {}): Promise<string[]> {
  const lines: string[] = []
  const over = new AbortController()
  const reading = async (): Promise<void> => {
    for await (const { text } of read(LINES, over.signal)) lines.push(text.slice(0, LINE_LENGTH))
  }
  // The clock decides, and not only the signal: a reader may be stuck in a way that no signal ends.
  await Promise.race([reading().catch(() => {}), pause(withinMs, over.signal)])
  over.abort()
  return lines.slice(-LINES)
}

/**
 * What comes after the line that matters: Node's stack and version, npm's note on its log, and podman's complaint about a program
 * that ended while it was written to.
 */
const NOISE = /^\s*$|^\s+at |^Node\.js v\d|complete log of this run|^Error: read unixpacket /
const ERROR = /^(?:[\w.$]*(?:Error|Exception)\b|(?:panic|[Ff]atal|FATAL|[Ee]rror|ERROR): )/

/** The line that says why a program ended: its last error at the margin, else the last that is not a crash's own noise. */
export function tellingLine(lines: readonly string[]): string | null {
  const telling = lines.filter((line) => !NOISE.test(line))
  return telling.findLast((line) => ERROR.test(line)) ?? telling.at(-1) ?? null
}

/** The same as the end of a message: `: <line>`, or nothing. */
export function saidLast(lines: readonly string[]): string {
  const line = tellingLine(lines)
  return line === null ? '' : `: ${line}`
}
