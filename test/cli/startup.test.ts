/** `help` and `--version` have to be nearly as quick as an empty program: nothing heavy may be reached from `run()`. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

it('run() loads only src/cli and small parts of src/core', async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))],
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: 'esm',
    packages: 'external',
    platform: 'neutral',
  })
  const inputs = Object.keys(metafile.inputs)
  expect(inputs).toContain('src/cli/parse.ts')
  expect(inputs.filter((path) => !/^src\/(?:cli\/|core\/(?:error|id|log)\.ts$)/.test(path))).toEqual([])
  const [output] = Object.values(metafile.outputs)
  expect(output?.imports).toEqual([])
  expect(output?.bytes).toBeLessThan(48 * 1024)
})
