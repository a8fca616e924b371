#!/usr/bin/env node
// `npm run test:conformance`: the official suite against agents on real engines; the last line is the figure.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FIGURES = join(ROOT, 'test/.output/conformance')

rmSync(FIGURES, { recursive: true, force: true })
const began = Date.now()
const { status } = spawnSync(process.execPath, [join(ROOT, 'test/run.mjs'), 'conformance'], {
  cwd: ROOT,
  stdio: 'inherit',
})

/** @type {{ runs: number, failed: number, lost: number, different: number, checks: number }[]} */
let figures = []
/** @type {string[]} */
let places = []
try {
  places = readdirSync(FIGURES)
  figures = places.map((name) => JSON.parse(readFileSync(join(FIGURES, name), 'utf8')))
} catch {
  // No layer came to its end: nothing was measured, and the line says so.
}
const sum = (name) => figures.reduce((total, figure) => total + figure[name], 0)
const where = places.map((name) => name.replace('.json', ''))
process.stdout.write(
  `conformance: ${sum('runs')} runs, ${sum('failed')} failed, ${sum('lost')} required scenarios lost, ` +
    `${sum('different')} of ${sum('checks')} checks different through the router ` +
    `(${where.join(', ') || 'nowhere'}), ${Math.round((Date.now() - began) / 1000)} s\n`,
)
process.exitCode = status === 0 && figures.length > 0 ? 0 : 1
