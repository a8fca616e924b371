// Deno's own program. The `deno` that npm puts on the path is a script that waits for it and keeps signals to itself.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} root folder that has node_modules
 * @returns {string | null} null: the npm package is not there for this system
 */
export function findDeno(root) {
  const { platform, arch } = process
  const libc = platform === 'linux' ? '-glibc' : ''
  for (const name of [`${platform}-${arch}${libc}`, `${platform}-${arch}`]) {
    const file = join(root, 'node_modules/@deno', name, platform === 'win32' ? 'deno.exe' : 'deno')
    if (existsSync(file)) return file
  }
  return null
}
