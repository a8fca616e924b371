// A tool that fails prints {"ok":false,"error","message"} and ends with an exit code that is not 0.
import { text } from 'node:stream/consumers'

const { input } = JSON.parse(await text(process.stdin))
if (input.text.trim() === '') {
  console.log(JSON.stringify({ ok: false, error: 'empty_text', message: 'There is nothing to count' }))
  process.exitCode = 1
} else {
  const lines = input.text.replace(/\n$/, '').split('\n').length
  const words = input.text.trim().split(/\s+/).length
  console.log(JSON.stringify({ lines, words }))
}
