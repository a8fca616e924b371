#!/usr/bin/env node
// The two images that the built-in agents use, made on this machine where no registry can be reached:
// busybox for alpine:3, busybox, Node 24 and npm for node:24-alpine, with the PATH, entry point and command of the real ones.
//   node test/setup/images.mjs
// An image that is present stays, unless an older version of this recipe made it. PLOINKY_TEST_PULL=1 tries the registry first.
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { detectEngines, spawnAs } from './detect.mjs'
import { findNode, findNpm } from './node-binary.mjs'
import { run, which } from './process.mjs'
import { packTree, writeTree } from './rootfs.mjs'

/** Raised whenever a tree or a setting below changes: images of an older recipe are made again. */
const RECIPE = '2'
const LABEL = 'ploinky.test.image'
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const IMAGES = [
  { name: 'docker.io/library/alpine:3', withNode: false, changes: [`ENV ${PATH}`, 'CMD ["/bin/sh"]'] },
  {
    name: 'docker.io/library/node:24-alpine',
    withNode: true,
    changes: [`ENV ${PATH}`, 'ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["node"]'],
  },
]

/**
 * Makes the images that an available engine lacks.
 * @param {import('./detect.mjs').Engine[]} engines
 * @param {(line: string) => void} say
 * @returns {{ missing: { engine: string, image: string, reason: string }[] }}
 */
export function ensureImages(engines, say) {
  const missing = []
  for (const image of IMAGES) {
    const lacking = engines.filter((engine) => engine.available && !isPresent(engine, image, say))
    if (lacking.length === 0) continue
    const reason = cannotMake()
    if (reason === null) makeImage(image, lacking, { say, missing })
    else missing.push(...lacking.map(({ id }) => ({ engine: id, image: image.name, reason })))
  }
  return { missing }
}

function cannotMake() {
  if (process.platform !== 'linux') return 'images are only made on Linux'
  return which('busybox') === null || which('tar') === null ? 'busybox (static) or tar is missing' : null
}

/** Present and either real or of this recipe; pulled when the registry is allowed and answers. */
function isPresent(engine, image, say) {
  const format = `{{ index .Config.Labels "${LABEL}" }}`
  const { code, text } = call(engine, ['image', 'inspect', '--format', format, image.name])
  const foreign = text === '' || text === '<no value>'
  if (code === 0 && (foreign || text === RECIPE)) return true
  if (code === 0) say(`${engine.id}: ${image.name} is of an older recipe`)
  if (process.env['PLOINKY_TEST_PULL'] !== '1') return false
  say(`${engine.id}: pulls ${image.name}`)
  return call(engine, ['pull', '--quiet', image.name]).code === 0
}

function makeImage(image, engines, { say, missing }) {
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-image-'))
  try {
    const node = image.withNode ? { ...findNode(say), npm: findNpm(say) } : null
    const root = join(folder, 'root')
    writeTree(root, { busybox: which('busybox') ?? '', node })
    const archive = join(folder, 'image.tar')
    packTree(root, archive)
    chmodSync(folder, 0o755)
    const changes = [
      ...image.changes,
      `LABEL ${LABEL}=${RECIPE}`,
      ...(node ? [`ENV NODE_VERSION=${node.version}`] : []),
    ]
    for (const engine of engines) {
      const error = importImage(engine, archive, { name: image.name, changes })
      say(`${engine.id}: ${error === null ? 'made' : 'cannot make'} ${image.name}${error === null ? '' : `: ${error}`}`)
      if (error !== null) missing.push({ engine: engine.id, image: image.name, reason: error })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The archive goes through standard input, so that it matters to nobody which folders the engine's user may read. */
function importImage(engine, archive, { name, changes }) {
  const stdin = openSync(archive, 'r')
  try {
    const settings = changes.flatMap((change) => ['--change', change])
    const { code, stderr } = call(engine, ['import', ...settings, '-', name], stdin)
    return code === 0 ? null : (stderr.trim().split('\n').at(-1) ?? `exit code ${code}`)
  } finally {
    closeSync(stdin)
  }
}

function call(engine, args, stdin) {
  return run([engine.program, ...args], { ...spawnAs(engine), stdin, timeoutMs: 180_000 })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const say = (line) => process.stdout.write(`${line}\n`)
  const { missing } = ensureImages(await detectEngines(), say)
  for (const { engine, image, reason } of missing) say(`${engine}: ${image} is missing: ${reason}`)
  process.exitCode = missing.length === 0 ? 0 : 1
}
