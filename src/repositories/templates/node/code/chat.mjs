// The program that people talk to: reads lines, answers each, ends at "exit" or at the end of its input.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })
console.log('Hello, I am {{name}}. Say something; "exit" leaves.')
for await (const line of lines) {
  const said = line.trim()
  if (said === 'exit') break
  if (said !== '') console.log(`You said: ${said}`)
}
// Whoever pipes may keep the pipe open.
process.stdin.destroy()
console.log('Goodbye.')
