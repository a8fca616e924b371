import { fail, readInput } from './input.mjs'

const { zone } = await readInput()
const now = new Date()
try {
  console.log(
    zone === undefined
      ? now.toISOString()
      : new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone: zone }).format(now),
  )
} catch {
  fail('unknown_zone', `"${zone}" is not a time zone`)
}
