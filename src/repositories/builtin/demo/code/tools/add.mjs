import { readInput } from './input.mjs'

const { a, b } = await readInput()
console.log(String(a + b))
