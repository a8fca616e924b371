// A chat that needs nothing but Node. It answers line by line, in a terminal, in the web chat and when text is piped in.
import { createInterface } from 'node:readline'

const HELP = `I understand:
  help              this list
  time              what time it is
  echo <text>       the text again
  add <a> <b>       a sum
  exit              the end
Anything else I simply repeat.`

const commands = {
  help: () => HELP,
  time: () => `It is ${new Date().toISOString()}.`,
  echo: (rest) => rest,
  add: (rest) => {
    const numbers = rest.split(/\s+/).map(Number)
    return numbers.length === 2 && numbers.every(Number.isFinite) ? String(numbers[0] + numbers[1]) : 'Try "add 2 3".'
  },
  hello: () => 'Hello! What can I do for you? Try "help".',
}

function answer(line) {
  const text = line.trim()
  const [word = ''] = text.split(/\s+/)
  const command = Object.hasOwn(commands, word.toLowerCase()) ? commands[word.toLowerCase()] : undefined
  return command === undefined ? `You said: ${text}` : command(text.slice(word.length).trim())
}

console.log('Hello, I am the demo agent. Type "help" to see what I can do, "exit" to leave.')
const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: process.stdin.isTTY ? '> ' : '' })
lines.on('SIGINT', () => lines.close())
lines.on('close', () => {
  console.log('Goodbye.')
  // Whoever pipes may keep the pipe open.
  process.stdin.destroy()
})
let isOver = false
lines.on('line', (line) => {
  const text = line.trim()
  // Lines that arrived together with "exit" still come.
  if (isOver) return
  if (text === 'exit' || text === 'quit') {
    isOver = true
    lines.close()
    return
  }
  if (text !== '') console.log(answer(text))
  lines.prompt()
})
lines.prompt()
