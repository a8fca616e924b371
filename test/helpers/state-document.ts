/** A state document for tests of the store. */
import * as z from 'zod'
import { type DocumentSpec, stateInvalid } from '../../src/core/store.ts'

const schema = z.strictObject({ counts: z.record(z.string(), z.int()), padding: z.string() })
type Counts = z.output<typeof schema>

export const countsDocument: DocumentSpec<Counts> = {
  name: 'counts',
  version: 2,
  empty: () => ({ counts: {}, padding: '' }),
  parse(value) {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    throw stateInvalid('counts', result.error.issues[0]?.message ?? '')
  },
}
