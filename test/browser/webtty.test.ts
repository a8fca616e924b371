/** The terminal in the page: what a person does with it all day. */
import { describe, expect, it } from 'vitest'
import { screenshot, skipReason } from './browser.ts'
import { AGENT, cutSockets, enter, ready, screens, sees, sessionOf, sizeOf, useTtyKit } from './tty-kit.ts'

describe.skipIf(skipReason !== null)('a terminal in the page', () => {
  const kit = useTtyKit()

  it('runs what is typed, and stops it with Ctrl+C', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await enter(page, 'echo be""fore-$((6*7))')
    await sees(page, 'before-42')
    // A shell that has not given the terminal to the program yet would take Ctrl+C for a character of the line.
    await enter(page, 'echo go""ing; sleep 1000; echo not-"reached"')
    await sees(page, 'going')
    await page.keyboard.press('Control+c')
    await enter(page, 'echo af""ter')
    await sees(page, 'after')
    expect((await screens(page)).join('\n')).not.toContain('not-reached')
    await page.locator('.latency').waitFor()
    expect(faults).toEqual([])
  })

  it('tells the program its size, and each change of it', async () => {
    const { page, faults } = await kit.open(undefined, { viewport: { width: 900, height: 600 } })
    await ready(page)
    const before = (await sizeOf(page)).rows
    await enter(page, 'echo "first:$(stty size)"')
    await sees(page, new RegExp(`first:${before} \\d+`))
    await page.setViewportSize({ width: 700, height: 420 })
    await page.waitForFunction(
      (rows) => (document.querySelector('.xterm-rows')?.children.length ?? rows) < rows,
      before,
    )
    const after = (await sizeOf(page)).rows
    await enter(page, 'echo "second:$(stty size)"')
    await sees(page, new RegExp(`second:${after} \\d+`))
    expect(faults).toEqual([])
  })

  it('draws colours, wide characters and emoji', async () => {
    // Dark: on white, this green would be made darker so that it can be read.
    const { page, faults } = await kit.open(undefined, { colorScheme: 'dark' })
    await ready(page)
    await enter(
      page,
      String.raw`printf '\033[38;2;12;200;34mtrue\033[0m \033[31mred\033[0m 日本語 😀 e\u0301|\n' | cat`,
    )
    await sees(page, '日本語 😀')
    const style = await page
      .locator('.xterm-rows span', { hasText: /^true$/ })
      .evaluate((cell) => getComputedStyle(cell).color)
    expect(style).toBe('rgb(12, 200, 34)')
    const red = await page
      .locator('.xterm-rows span', { hasText: /^red$/ })
      .evaluate((cell) => getComputedStyle(cell).color)
    expect(red).not.toBe('rgb(12, 200, 34)')
    expect(faults).toEqual([])
  })

  it('shows full-screen programs, and what was there before them', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    // The pager of busybox does not change the screen by itself.
    const change = (to: string): string => String.raw`printf '\033[?1049${to}'`
    await enter(page, `echo under""neath; seq 1 500 > /tmp/numbers; ${change('h')}; less /tmp/numbers; ${change('l')}`)
    await sees(page, /^1\n2\n3\n/)
    await page.keyboard.press('Shift+G')
    await sees(page, /\n500\b/)
    await page.keyboard.press('q')
    await sees(page, 'underneath')
    expect(faults).toEqual([])
  })

  it('finds its screen again after a reload in vi, and typing goes on', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await enter(page, 'vi /tmp/poem')
    await sees(page, '/tmp/poem')
    await page.keyboard.press('i')
    await page.keyboard.type('roses are red')
    await sees(page, 'roses are red')
    const session = sessionOf(page)
    expect(session).not.toBe('')
    await page.reload()
    await sees(page, 'roses are red')
    expect(sessionOf(page)).toBe(session)
    await page.keyboard.type(', really')
    await sees(page, 'roses are red, really')
    await page.keyboard.press('Escape')
    // Until vi has left its insert mode, what follows Escape would be one key with it.
    await page.waitForFunction(
      () =>
        ![...(document.querySelector('.xterm-rows')?.children ?? [])].some((row) =>
          /^(?:I \/tmp|-- INSERT)/.test((row.textContent ?? '').replaceAll('\u00a0', ' ')),
        ),
    )
    await enter(page, ':q!')
    // What is typed before vi has ended is vi's.
    await sees(page, /[$#]$/)
    await enter(page, 'echo ba""ck')
    await sees(page, 'back')
    expect(faults).toEqual([])
  })

  it('takes a composed word once', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await page.keyboard.type('echo [')
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Input.imeSetComposition', { selectionStart: 1, selectionEnd: 1, text: '日' })
    await cdp.send('Input.imeSetComposition', { selectionStart: 2, selectionEnd: 2, text: '日本' })
    await cdp.send('Input.insertText', { text: '日本' })
    // Nobody types on before the word is there; on a busy machine, this program does.
    await sees(page, /\[日本$/)
    await page.keyboard.type(']')
    await page.keyboard.press('Enter')
    await sees(page, /^\[日本\]$/m)
    expect(faults).toEqual([])
  })

  it('says when its program ended, and starts it again with Enter', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const before = sessionOf(page)
    await enter(page, 'exit 7')
    await page.getByText('Ended with exit code 7 after').waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Ended with exit code 7 after').waitFor({ state: 'detached' })
    await ready(page)
    await enter(page, 'echo a""gain')
    await sees(page, 'again')
    expect(sessionOf(page)).not.toBe(before)
    expect(faults).toEqual([])
  })

  it('comes back after the network was cut, without losing the session', async () => {
    const { page, faults } = await kit.open(undefined, { holdSockets: true })
    await ready(page)
    const session = sessionOf(page)
    await enter(page, 'echo kept-""here; MARK=still')
    await sees(page, 'kept-here')
    await cutSockets(page)
    await page.locator('.banner', { hasText: 'Connection lost' }).waitFor()
    // It may be back by itself before anybody can press the button.
    const again = page.getByRole('button', { name: 'Reconnect now' })
    await again.or(page.locator('.pane[data-connection=open]')).first().click()
    await page.locator('.banner').waitFor({ state: 'detached' })
    await sees(page, 'kept-here')
    await page.locator('.xterm-helper-textarea').focus()
    await enter(page, 'echo $MARK-""the-same')
    await sees(page, 'still-the-same')
    expect(sessionOf(page)).toBe(session)
    expect(faults).toEqual([])
  })

  it('pastes lines into a program that knows pasted text, and asks where they would run', async () => {
    const { page, faults } = await kit.open(undefined, { permissions: ['clipboard-read', 'clipboard-write'] })
    await ready(page)
    await page.evaluate(() => navigator.clipboard.writeText('echo one-$((1+1))\necho two-$((1+1))\n'))
    await page.keyboard.press('Control+Shift+V')
    const dialog = page.getByRole('dialog', { name: 'Paste 2 lines?' })
    await dialog.waitFor()
    await dialog.getByText('echo two-$((1+1))').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect((await screens(page)).join('\n')).not.toContain('one-2')
    await page.keyboard.press('Control+Shift+V')
    await dialog.getByRole('button', { name: 'Paste' }).click()
    await sees(page, 'two-2')
    await enter(page, String.raw`printf '\033[?2004h'; echo knows-""it; cat -v`)
    await sees(page, 'knows-it')
    await page.evaluate(() => navigator.clipboard.writeText('a\nb\x1b[201~c'))
    await page.keyboard.press('Control+Shift+V')
    await sees(page, 'b[201~c')
    expect(await dialog.count()).toBe(0)
    expect(faults).toEqual([])
  })

  it('searches back, counts, and marks', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await enter(page, 'seq 1000 1200; echo DO""NE')
    await sees(page, 'DONE')
    await page.keyboard.press('Control+Shift+F')
    const field = page.getByLabel('Search in the terminal')
    await field.fill('103')
    await page.locator('.search-count', { hasText: /^\d+ of 1[01]$/ }).waitFor()
    await sees(page, /^1103$/m)
    await page.getByRole('button', { name: 'Regular expression' }).click()
    await field.fill('10(3')
    await page.locator('.search-count', { hasText: 'Not a regular expression' }).waitFor()
    await field.fill('^10[34]5$')
    await page.locator('.search-count', { hasText: /^\d of 2$/ }).waitFor()
    await field.press('Enter')
    await field.press('Escape')
    await field.waitFor({ state: 'detached' })
    await enter(page, 'echo the-focus-is-""back')
    await sees(page, 'the-focus-is-back')
    expect(faults).toEqual([])
  })

  it('keeps drawing and obeys Ctrl+C while a program floods it', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await enter(page, 'head -c 50000000 /dev/zero | tr \'\\\\0\' x | fold -w 99; echo floo""ded')
    await sees(page, 'flooded', 90_000)
    await enter(page, 'yes')
    await sees(page, /^y\ny\ny$/m)
    await page.keyboard.press('Control+c')
    await enter(page, 'clear; echo quiet-""now')
    await sees(page, 'quiet-now', 15_000)
    expect(faults).toEqual([])
  }, 150_000)

  it('tells what is wrong with an address', async () => {
    const { page } = await kit.open('webtty/nobody')
    await page.getByRole('alert').getByText('AGENT_NOT_FOUND').waitFor()
    await page.goto(`${kit.workspace.url}/webtty/${AGENT}?session=gone`)
    await page.getByRole('alert').getByText('SESSION_NOT_FOUND').waitFor()
    await page.getByRole('button', { name: 'New session' }).last().click()
    await ready(page)
  })

  it('tells that a part of the page did not come, and goes on when it does', async () => {
    const { page } = await kit.open()
    await ready(page)
    await page.route('**/part-xterm-*', (route) => route.abort())
    await page.reload()
    await page.getByRole('alert').getByText('The terminal could not be loaded').waitFor()
    await screenshot(page, 'terminal-incomplete')
    await page.unroute('**/part-xterm-*')
    await page.getByRole('button', { name: 'Load again' }).click()
    await ready(page)
  })

  it('tells that a part of the page is late, and appears when it comes after all', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    let bring = (): void => {}
    const late = new Promise<void>((resolve) => (bring = resolve))
    await page.route('**/part-xterm-*', async (route) => {
      await late
      await route.continue()
    })
    await page.reload()
    await page.getByRole('alert').getByText('The terminal could not be loaded').waitFor({ timeout: 60_000 })
    bring()
    await ready(page)
    expect(faults).toEqual([])
  })
})
