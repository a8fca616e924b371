/** Loaded with the first picture that a program draws. */
import type { IImageAddonOptions } from '@xterm/addon-image'
import { ImageAddon } from '@xterm/addon-image'
import type { Terminal } from '@xterm/xterm'

/** What a program can make a browser keep, for each terminal. */
const LIMITS: IImageAddonOptions = {
  enableSizeReports: false,
  // 2048 x 2048, 16 MB while it is drawn.
  pixelLimit: 4_194_304,
  // Megabytes of what is shown and scrolled away; older ones give way.
  storageLimit: 32,
  sixelSizeLimit: 8_000_000,
  iipSizeLimit: 8_000_000,
}
/** Its sixel decoder is compiled on the side, and pictures before that are left out; nothing public tells when it is there. */
interface Internals {
  readonly _handlers?: Map<string, { readonly _dec?: unknown }>
}
const LOOK_MS = 5
const PATIENCE_MS = 2000

/** Resolves when pictures can be drawn. */
export async function addPictures(term: Terminal): Promise<void> {
  const addon = new ImageAddon(LIMITS)
  term.loadAddon(addon)
  const sixel = (addon as unknown as Internals)._handlers?.get('sixel')
  const deadline = performance.now() + PATIENCE_MS
  while (sixel !== undefined && sixel._dec === undefined && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
