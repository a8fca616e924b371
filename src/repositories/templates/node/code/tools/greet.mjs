// A tool gets one line of JSON on standard input, {"tool","input","metadata"}; what it prints is its answer.
import { text } from 'node:stream/consumers'

const { input } = JSON.parse(await text(process.stdin))
console.log(`Hello, ${input.name}! I am {{name}}.`)
