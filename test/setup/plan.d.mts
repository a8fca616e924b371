export interface Layer {
  readonly name: string
  /** Project of vitest.config.ts. */
  readonly project: string
  readonly engine: string
  /** What no other layer may use at the same time. */
  readonly locks: readonly string[]
  /** JavaScript runtime that the product runs on. */
  readonly platform: string
  /** Why it cannot run here, or null. */
  readonly skip: string | null
  readonly limitMs: number
  /** It waits nearly all the time, and runs beside any other. */
  readonly quiet: boolean
  /** Which part of the project's files, as vitest writes it (1/2); null: all. */
  readonly shard: string | null
  /** It runs when its name is given, and only then. */
  readonly onRequest: boolean
}

export interface Result {
  readonly name: string
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why a layer was skipped or failed as a whole. */
  readonly reason: string
  readonly failures: readonly string[]
  readonly skips: readonly string[]
  readonly seconds: number
}

export interface Machine {
  readonly engines: readonly { readonly id: string; readonly available: boolean; readonly reason: string }[]
  readonly browser: { readonly file: string | null }
  readonly deno: boolean
}

export function planLayers(machine: Machine): Layer[]
export function isWanted(layer: Layer, wanted: readonly string[]): boolean
export function mayStart(waiting: Layer, running: readonly Layer[], slots: number): boolean
export function summarize(
  results: readonly Result[],
  rest: { leaks: readonly unknown[]; ci: boolean },
): { passed: number; failed: number; skipped: number; exitCode: number }
