/** A template as it ships, and what becomes of it for one agent. */
import { join } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'

export const TEMPLATES = ['node', 'python', 'shell'] as const
export type Template = (typeof TEMPLATES)[number]
/** What an agent may come with. */
export const PARTS = ['tools', 'chat'] as const
export type Part = (typeof PARTS)[number]

/** Our own files; a larger one is a broken installation. */
const MAX_BYTES = 256 * 1024

export interface TemplateFile {
  /** Relative to the agent's folder, with `/`. */
  readonly path: string
  readonly text: string
}

/** The files of a template, as they ship. */
export async function readTemplate(fs: FileSystem, assetsDir: string, template: Template): Promise<TemplateFile[]> {
  const root = join(assetsDir, 'repositories/templates', template)
  const files: TemplateFile[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const name of await fs.list(join(root, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`
      if ((await fs.stat(join(root, path)))?.kind === 'directory') await walk(path)
      else files.push({ path, text: (await fs.readText(join(root, path), { maxBytes: MAX_BYTES })) ?? '' })
    }
  }
  await walk('')
  if (files.some(({ path }) => path === 'manifest.json')) return files
  throw new PloinkyError('CONFIG_INVALID', `The installation has no template "${template}"`, {
    hint: 'Install ploinky again; then run: ploinky doctor',
    details: { path: root },
  })
}

/** For an agent of this name with these parts. `name` is checked: it goes into programs as it is. */
export function fillTemplate(
  files: readonly TemplateFile[],
  name: string,
  parts: ReadonlySet<Part>,
): readonly TemplateFile[] {
  return files
    .filter(({ path }) => parts.has('tools') || !/^code\/(?:tools\/|mcp-config\.json$)/.test(path))
    .filter(({ path }) => parts.has('chat') || !/^code\/chat\.\w+$/.test(path))
    .map(({ path, text }) => {
      const named = text.replaceAll('{{name}}', name)
      if (path === 'manifest.json') return { path, text: fillManifest(named, parts) }
      return { path, text: path.endsWith('.md') ? keepParts(named, parts) : named }
    })
}

function fillManifest(text: string, parts: ReadonlySet<Part>): string {
  const { cli, readiness, ...rest } = JSON.parse(text) as Record<string, unknown>
  const { about, container, ...others } = rest
  const manifest = {
    about,
    container,
    ...(parts.has('chat') ? { cli } : {}),
    // Nobody has to wait for tools that are not there.
    readiness: parts.has('tools') ? readiness : { protocol: 'none' },
    ...others,
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Lines between `<!-- tools -->` and `<!-- /tools -->` are about that part. */
function keepParts(text: string, parts: ReadonlySet<Part>): string {
  return PARTS.reduce(
    (kept, part) =>
      kept.replace(new RegExp(`^<!-- ${part} -->\\n([^]*?)^<!-- /${part} -->\\n`, 'gm'), parts.has(part) ? '$1' : ''),
    text,
  )
}
