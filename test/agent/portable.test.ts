import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../src/agent/', import.meta.url))

/** Everything that a file of the agent imports, directly or not; types count, so that nothing hides behind them. */
function importsOf(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen
  const names = [
    ...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm),
  ].map((found) => found[1] ?? '')
  seen.set(file, names)
  for (const name of names) if (name.startsWith('.')) importsOf(join(dirname(file), name), seen)
  return seen
}

test.each(['server.ts', 'config.ts'])(
  '%s can be loaded by the router: it needs neither Node nor anything outside of its folder',
  (name) => {
    const graph = importsOf(join(folder, name))
    expect(graph.size).toBeGreaterThan(3)
    const outside = [...graph].flatMap(([file, names]) =>
      names.filter((entry) => !entry.startsWith('./')).map((entry) => `${file}: ${entry}`),
    )
    expect(outside.filter((entry) => !entry.endsWith(': @modelcontextprotocol/server'))).toEqual([])
  },
)

test('main.ts does need Node, so the check above can fail', () => {
  expect([...importsOf(join(folder, 'main.ts')).values()].flat()).toContain('node:child_process')
})
