/** Bundles the pages of `public/` into `<outDir>/<page>/`; `close` ends watching. */
export function buildPublic(
  outDir: string,
  options?: { minify?: boolean; watch?: boolean },
): Promise<{ pages: string[]; close: () => Promise<void> }>
