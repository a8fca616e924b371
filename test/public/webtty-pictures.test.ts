import { describe, expect, test } from 'vitest'
import { createPictureWriter } from '../../public/webtty/pictures.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function terminal() {
  const written: string[] = []
  let loads = 0
  let finish: (error?: Error) => void = () => {}
  const { write } = createPictureWriter(
    { write: (data) => void written.push(typeof data === 'string' ? data : new TextDecoder().decode(data)) },
    () => {
      loads += 1
      return new Promise((resolve, reject) => {
        finish = (error) => (error === undefined ? resolve() : reject(error))
      })
    },
  )
  return { write, written, loads: () => loads, finish: (error?: Error) => finish(error) }
}

describe('what draws pictures', () => {
  test.each([
    ['sixel', '\u001bP0;1;0q#0~~\u001b\\'],
    ['an inline image', '\u001b]1337;File=inline=1:AAAA\u0007'],
  ])('is loaded at the beginning of %s, in whatever pieces it comes', (_what, picture) => {
    for (let cut = 0; cut <= 16; cut += 1) {
      const { write, loads } = terminal()
      write(bytes(picture.slice(0, cut)))
      write(bytes(picture.slice(cut)))
      expect(loads(), `cut at ${cut}`).toBe(1)
    }
  })

  test('is not loaded for text, colours, titles and questions', () => {
    const { write, loads, written } = terminal()
    for (const text of [
      'plain',
      '\u001b[31mred',
      '\u001b]0;title\u0007',
      '\u001bP$qm\u001b\\',
      '\u001b]1337;CurrentDir=/\u0007',
    ])
      write(text)
    expect([loads(), written.length]).toEqual([0, 5])
  })

  test('holds back what comes from there on, in its order', async () => {
    const { write, written, finish, loads } = terminal()
    for (const text of ['before', '\u001bPq', '~~\u001b\\', 'after']) write(text)
    expect(written).toEqual(['before'])
    finish()
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(written).toEqual(['before', '\u001bPq', '~~\u001b\\', 'after'])
    write('\u001bPq')
    expect([loads(), written.length]).toEqual([1, 5])
  })

  test('is done without where it cannot be loaded', async () => {
    const { write, written, finish } = terminal()
    write('\u001bPq~')
    finish(new Error('no connection'))
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(written).toEqual(['\u001bPq~'])
  })
})
