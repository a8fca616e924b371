import { fail, readInput } from './input.mjs'

const { message } = await readInput()
fail('demo_failure', message ?? 'This tool fails on purpose')
