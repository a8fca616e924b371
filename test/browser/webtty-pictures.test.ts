/** Pictures that a program draws in a terminal, on the page. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { screenshot, skipReason } from './browser.ts'
import { enter, ready, screens, sees, useTtyKit } from './tty-kit.ts'

const RED_SIXEL = String.raw`printf '\033Pq"1;1;60;24#0;2;100;0;0#0!60~-#0!60~-#0!60~-#0!60~-\033\\'`
/** 1 x 1, blue; drawn over ten columns and three lines. */
const BLUE_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC'
const SIZE = Buffer.from(BLUE_PNG, 'base64').length
const BLUE_INLINE = String.raw`printf '\033]1337;File=inline=1;size=${SIZE};width=10;height=3;preserveAspectRatio=0:${BLUE_PNG}\007'`

/** How many pixels of the layer of pictures are of this colour. */
const pixels = (page: Page, [red, green, blue]: readonly [number, number, number]): Promise<number> =>
  page.evaluate(
    (colour) => {
      const layer = document.querySelector<HTMLCanvasElement>('.pane .xterm-image-layer')
      if (!layer) return 0
      // Read from a copy: the browser warns of what reads the one that is shown.
      const copy = new OffscreenCanvas(layer.width, layer.height)
      const context = copy.getContext('2d')
      context?.drawImage(layer, 0, 0)
      if (!context) return 0
      const { data } = context.getImageData(0, 0, layer.width, layer.height)
      let count = 0
      for (let i = 0; i < data.length; i += 4) {
        if (colour.every((value, part) => Math.abs((data[i + part] ?? -99) - value) < 8) && data[i + 3] === 255)
          count += 1
      }
      return count
    },
    [red, green, blue],
  )

const drawn = (page: Page, colour: readonly [number, number, number]): Promise<void> =>
  expect.poll(() => pixels(page, colour), { timeout: 10_000 }).toBeGreaterThan(500)

describe.skipIf(skipReason !== null)('pictures in a terminal', () => {
  const kit = useTtyKit()

  it('are shown, as sixel and as inline images, without a word typed into the program', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const loads: string[] = []
    page.on('request', (request) => loads.push(new URL(request.url()).pathname))
    await enter(page, `clear; ${RED_SIXEL}; echo; echo si""xel`)
    await sees(page, 'sixel')
    await drawn(page, [255, 0, 0])
    // The decoder came with the first picture, and from here.
    expect(loads.filter((path) => path.includes('pictures'))).toHaveLength(1)
    await enter(page, `${BLUE_INLINE}; echo; echo in""line`)
    await sees(page, 'inline')
    await drawn(page, [0, 0, 255])
    await screenshot(page, 'webtty-pictures')
    // Asked by a program, only the router answers: the question on its own line is followed by one answer.
    await enter(
      page,
      `stty -icanon -echo; printf '\\033[c\\033[?1;1;0S'; sleep 1; dd bs=200 count=1 2>/dev/null | tr '\\033' E; echo; stty sane`,
    )
    await sees(page, /E\[\?62;4;22cE\[\?1;0;256S/)
    expect((await screens(page)).join('').match(/62;4;22c/g)).toHaveLength(1)
    await enter(page, 'clear')
    await expect.poll(() => pixels(page, [255, 0, 0])).toBe(0)
    expect(faults).toEqual([])
  })

  it('that are too large, broken or without an end leave the terminal as it was', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const bombs = [
      // 2 thousand million pixels, by its own word; a colour that does not exist; a picture of random bytes; one without an end.
      String.raw`printf '\033Pq"1;1;45000;45000#0!99999999~-\033\\'`,
      String.raw`printf '\033Pq#99999;2;900;900;900#99999!10~\033\\'`,
      String.raw`printf '\033]1337;File=inline=1;size=3000:%s\007' "$(head -c 3000 /dev/urandom | base64 | tr -d '\n')"`,
      String.raw`printf '\033]1337;File=inline=1;size=${SIZE};width=99999;height=99999:${BLUE_PNG}\007'`,
      String.raw`printf '\033Pq'; head -c 9000000 /dev/zero | tr '\0' '~'; printf '\033\\'`,
    ]
    for (const bomb of bombs) {
      await enter(page, `clear; ${bomb}; echo; echo ali""ve`)
      await sees(page, 'alive', 30_000)
    }
    await enter(page, `clear; ${RED_SIXEL}; echo; echo si""xel`)
    await drawn(page, [255, 0, 0])
    // What the decoder says of pictures above its limits; nothing else is wrong.
    expect(faults.filter((fault) => !/SIXEL: (?:too much data|.*memory limit)/.test(fault))).toEqual([])
  })
})
