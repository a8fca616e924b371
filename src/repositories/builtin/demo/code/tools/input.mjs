import { text } from 'node:stream/consumers'

/** The arguments of this call: a tool gets one line of JSON, `{"tool","input","metadata"}`, on standard input. */
export async function readInput() {
  const { input } = JSON.parse(await text(process.stdin))
  return input
}

/** Ends with an error that the caller sees as `code: message`. */
export function fail(code, message) {
  console.log(JSON.stringify({ ok: false, error: code, message }))
  process.exitCode = 1
}

/** Reports progress: a line of JSON on standard error. */
export function report(progress, total, message) {
  process.stderr.write(`${JSON.stringify({ progress, total, message })}\n`)
}
