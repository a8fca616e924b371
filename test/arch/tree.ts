import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = /\.(?:tsx?|mts|mjs)$/
const LEFT_OUT = new Set(['node_modules', 'dist', '.output'])

/** Paths of all source files below the folders, relative to `root`, sorted. */
export function sourceFiles(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => below(root, folder))
}

function below(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : below(root, path)
      return entry.isFile() && SOURCE.test(entry.name) ? [path] : []
    })
}

/** Names of the folders in a folder. */
export function foldersIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}
