/** What differs on Deno: its name, and how this program is started again. */
import type { ProcessSpec } from '../core/process.ts'
import type { DenoSockets } from './deno-sockets.ts'

interface DenoGlobal extends DenoSockets {
  version: { deno: string }
  mainModule: string
  execPath(): string
}

const deno = (globalThis as { Deno?: DenoGlobal }).Deno

/** Null on Node. */
export const denoGlobal = (): DenoSockets | null => deno ?? null

export const denoVersion = (): string | null => deno?.version.deno ?? null

export function denoCommand(args: readonly string[]): ProcessSpec {
  if (deno === undefined) throw new Error('Not running on Deno')
  // Containers, sockets and files of the workspace need all permissions; the engine is the sandbox here.
  return { file: deno.execPath(), args: ['run', '-A', '--no-prompt', deno.mainModule, ...args] }
}
