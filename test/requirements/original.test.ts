import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { BEHAVIOURS } from './original.ts'

const TESTS = fileURLToPath(new URL('..', import.meta.url))

it.each(BEHAVIOURS)('$id: $text', async ({ by = [], later, otherwise }) => {
  // Either a test says that it is so, or a reason says why not.
  expect(by.length > 0).toBe(later === undefined)
  expect(otherwise === undefined || by.length > 0).toBe(true)
  for (const [file, title] of by) expect(await readFile(join(TESTS, file), 'utf8'), file).toContain(title)
})

it('names each once', () => {
  const ids = BEHAVIOURS.map(({ id }) => id)
  expect(ids.toSorted()).toEqual([...new Set(ids)].sort())
})
