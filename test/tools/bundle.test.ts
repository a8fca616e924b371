import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, startGraph } from '../../src/tools/bundle.mjs'

/** What is not needed to say a version or a help text is loaded later. */
const LATER = ['zod', 'hono', '@hono/node-server', 'execa', '@modelcontextprotocol']

let folder = ''
let graph: ReturnType<typeof startGraph>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ploinky-bundle-'))
  graph = startGraph(await bundle(folder))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a start reads our own files only, and no builtin', () => {
  const paths = graph.inputs.map(({ path }) => path)
  expect(paths).toContain('src/cli/bin.ts')
  expect(paths.filter((path) => LATER.some((name) => path.includes(`node_modules/${name}`)))).toEqual([])
  expect([...graph.builtins, ...paths.filter((path) => path.startsWith('builtin:'))]).toEqual([])
})

test('every chunk can be loaded by itself, also those with CommonJS inside', () => {
  const chunks = readdirSync(join(folder, 'chunks')).map((name) => join(folder, 'chunks', name))
  expect(chunks.length).toBeGreaterThan(5)
  const load = `for (const path of ${JSON.stringify(chunks)}) await import(path)`
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', load], { encoding: 'utf8' })).toBe('')
})

test('of package.json only the version is in it', () => {
  const text = readFileSync(join(folder, 'bin.js'), 'utf8')
  expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true)
  expect(text).not.toContain('devDependencies')
})
