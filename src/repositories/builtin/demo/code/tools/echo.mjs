import { readInput } from './input.mjs'

const { text } = await readInput()
process.stdout.write(text)
