import { setTimeout } from 'node:timers/promises'
import { readInput, report } from './input.mjs'

const { seconds } = await readInput()
const steps = 10
for (let step = 1; step <= steps; step++) {
  await setTimeout((seconds * 1000) / steps)
  report(step, steps, `Step ${step} of ${steps}`)
}
console.log(`Worked for ${seconds} seconds`)
