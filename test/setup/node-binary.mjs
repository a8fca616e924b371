// A Node 24 program for the local image: from the npm package of the platform's binary, else this machine's Node.
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, SetUpError } from './process.mjs'

const CACHE = fileURLToPath(new URL('../../.cache/node-24/', import.meta.url))

/**
 * @param {(line: string) => void} say
 * @returns {{ file: string, version: string }} `version` without the leading "v"
 */
export function findNode(say) {
  const cached = join(CACHE, 'node')
  if (!existsSync(cached)) download(cached, say)
  for (const file of [cached, process.execPath]) {
    const { code, text } = run([file, '--version'])
    if (code === 0 && text.startsWith('v')) return { file, version: text.slice(1) }
  }
  throw new SetUpError('No Node program runs on this machine')
}

function download(target, say) {
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-node-'))
  try {
    say('Fetches Node 24 for the local image (npm)')
    const name = `node-linux-${process.arch}@24`
    const packed = run(['npm', 'pack', '--silent', '--pack-destination', folder, name], {
      cwd: folder,
      timeoutMs: 180_000,
    })
    const archive = join(folder, packed.text.split('\n').at(-1) ?? '')
    const unpacked = packed.code === 0 && run(['tar', '-xzf', archive, '-C', folder, 'package/bin/node']).code === 0
    if (!unpacked) {
      say(`No Node 24 from npm, uses ${process.version}: ${packed.stderr.trim().split('\n').at(-1)}`)
      return
    }
    mkdirSync(dirname(target), { recursive: true })
    // Copied beside its place and renamed: a second run never sees half a program.
    copyFileSync(join(folder, 'package/bin/node'), `${target}.new`)
    renameSync(`${target}.new`, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {(line: string) => void} say
 * @returns {string | null} folder of the npm package; null where it cannot be had
 */
export function findNpm(say) {
  const cached = join(CACHE, 'npm')
  if (existsSync(cached)) return cached
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-npm-'))
  try {
    say('Fetches npm for the local image (npm)')
    const packed = run(['npm', 'pack', '--silent', '--pack-destination', folder, 'npm@11'], {
      cwd: folder,
      timeoutMs: 180_000,
    })
    const archive = join(folder, packed.text.split('\n').at(-1) ?? '')
    const unpacked = packed.code === 0 && run(['tar', '-xzf', archive, '-C', folder, 'package']).code === 0
    if (!unpacked) {
      say(`No npm from npm: ${packed.stderr.trim().split('\n').at(-1)}`)
      return null
    }
    mkdirSync(CACHE, { recursive: true })
    cpSync(join(folder, 'package'), `${cached}.new`, { recursive: true })
    renameSync(`${cached}.new`, cached)
    return cached
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
