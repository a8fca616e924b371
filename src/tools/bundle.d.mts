import type { Metafile } from 'esbuild'

export declare const ROOT: string
export declare function bundle(outDir: string): Promise<Metafile>
export declare function startGraph(
  metafile: Metafile,
  entry?: string,
): { files: string[]; bytes: number; builtins: string[]; inputs: { path: string; bytes: number }[] }
