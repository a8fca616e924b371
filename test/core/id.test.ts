import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { typedId } from '../../src/core/id.ts'

test('an id that people type is never taken for an option', () => {
  let count = 0
  const hash = {
    sha256Hex: (text: string): string => createHash('sha256').update(text).digest('hex'),
    // What random text in base64 may look like.
    randomToken: (): string => `-N_${(count += 1)}`,
  }
  const ids = Array.from({ length: 100 }, () => typedId(hash))
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(100)
})
