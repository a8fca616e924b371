export const SUBJECTS: readonly ['http', 'stdio']
export const REVISIONS: readonly ['2025-11-25', '2026-07-28']
export const LAYERS: readonly {
  readonly name: string
  readonly engine: string
  readonly platform: 'node' | 'deno'
}[]
