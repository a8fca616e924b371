// THIRD-PARTY.txt: the licence of every package that is inside the build.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './bundle.mjs'

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//
const LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/**
 * @param {readonly import('esbuild').Metafile[]} metafiles of bundles that are already made
 * @param {readonly string[]} entries of other bundles; they are resolved once more, without output
 * @returns {Promise<{ text: string, packages: string[] }>}
 * @throws when a package comes without a licence text
 */
export async function thirdParty(metafiles, entries) {
  const others = await build({
    absWorkingDir: ROOT,
    entryPoints: [...entries],
    outdir: 'unused',
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'error',
  })
  const folders = new Set()
  for (const { inputs } of [...metafiles, others.metafile]) {
    for (const path of Object.keys(inputs)) {
      const folder = PACKAGE.exec(path)?.[1]
      if (folder !== undefined) folders.add(folder)
    }
  }
  const parts = [...folders].map(describe).sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    packages: parts.map(({ name }) => name),
    text: [
      'ploinky contains these packages, each under its own licence.',
      ...parts.map(({ name, licence, text }) => `${'-'.repeat(80)}\n${name} (${licence})\n\n${text}`),
      '',
    ].join('\n\n'),
  }
}

function describe(folder) {
  const path = join(ROOT, folder)
  const { name, version, license, author } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  const texts = existsSync(path) ? readdirSync(path).filter((file) => LICENCE.test(file)) : []
  if (texts.length === 0 && license === undefined) throw new Error(`Package "${name}" has no licence`)
  const owner = typeof author === 'object' ? author?.name : author
  return {
    name: `${name} ${version}`,
    licence: license,
    text:
      texts.map((file) => readFileSync(join(path, file), 'utf8').trim()).join('\n\n') ||
      `Copyright ${owner ?? 'the authors'}; the package names the licence "${license}" and carries no text of it.`,
  }
}
