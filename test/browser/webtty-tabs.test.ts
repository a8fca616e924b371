/** Tabs and panes by keyboard alone, what people do with sessions, and what hostile output cannot do. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { skipReason } from './browser.ts'
import type { TtyKit } from './tty-kit.ts'
import { enter, ready, screens, sees, sessionOf, startTtyKit } from './tty-kit.ts'

const focusedPane = (page: Page): Promise<number> =>
  page.evaluate(() =>
    [...document.querySelectorAll('.pane')].findIndex((pane) => pane.contains(document.activeElement)),
  )

describe.skipIf(skipReason !== null)('sessions in the page', () => {
  let kit: TtyKit

  beforeAll(async () => {
    kit = await startTtyKit()
  }, 240_000)
  afterEach(() => kit.tidy())
  afterAll(() => kit?.close())

  it('opens tabs and a split, and moves between them, by keyboard alone', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await enter(page, 'echo the-fir""st')
    await sees(page, 'the-first')
    await page.keyboard.press('Alt+Shift+N')
    await page.getByRole('tab').nth(1).waitFor()
    await ready(page)
    await enter(page, 'echo the-sec""ond')
    await sees(page, 'the-second')
    await page.keyboard.press('Alt+Shift+ArrowLeft')
    await sees(page, 'the-first')
    await page.keyboard.press('Alt+Shift+D')
    await page.locator('.pane[data-connection=open]').nth(1).waitFor()
    await page.waitForFunction(() => document.querySelectorAll('.pane')[1]?.contains(document.activeElement) === true)
    await page.waitForFunction(() => /[$#]/.test(document.querySelectorAll('.pane .xterm-rows')[1]?.textContent ?? ''))
    await enter(page, 'echo the-thi""rd')
    await sees(page, 'the-third')
    expect((await screens(page))[0]).toContain('the-first')
    await page.keyboard.press('Control+Shift+F6')
    expect(await focusedPane(page)).toBe(0)
    await enter(page, 'echo in-the-fir""st')
    await sees(page, 'in-the-first')
    expect((await screens(page))[1]).not.toContain('in-the-first')
    await page.keyboard.press('Control+F6')
    await page.keyboard.press('Control+F6')
    expect(await focusedPane(page)).toBe(-1)
    const session = sessionOf(page)
    await page.reload()
    await page.getByRole('tab').nth(2).waitFor()
    await sees(page, 'in-the-first')
    expect(await page.locator('.pane').count()).toBe(2)
    expect(sessionOf(page)).toBe(session)
    expect(faults).toEqual([])
  })

  it('lists sessions, joins, names and ends them', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const session = sessionOf(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Rename…' }).click()
    await page.getByLabel('Name of the session').fill('my deploy')
    await page.keyboard.press('Enter')
    await page.getByRole('tab', { name: 'my deploy' }).waitFor()
    const { page: other } = await kit.open('webtty/')
    await other.getByRole('heading', { name: 'Open a terminal' }).waitFor()
    await other.getByRole('radio', { name: 'a shell' }).check()
    await other.getByRole('button', { name: 'Open a terminal in shell' }).click()
    await ready(other)
    await other.keyboard.press('Shift+F10')
    await other.getByRole('button', { name: 'Sessions…' }).click()
    await other.getByRole('button', { name: 'Join my deploy' }).click()
    await other.getByRole('tab', { name: 'my deploy' }).waitFor()
    await page.locator('.peer').nth(1).waitFor()
    await ready(other)
    await enter(other, 'echo from-the-ot""her')
    await sees(page, 'from-the-other')
    await page.getByText('Use my size').or(page.locator('.peer').first()).first().waitFor()
    await other.keyboard.press('Shift+F10')
    await other.getByRole('button', { name: 'Sessions…' }).click()
    const row = other.locator(`[data-row="${session}"]`)
    await row.getByRole('button', { name: 'End my deploy' }).click()
    await row.getByText('End my deploy?').waitFor()
    await row.getByRole('button', { name: 'End my deploy' }).click()
    await page.getByText('Ended with exit code').waitFor()
    await other.locator(`[data-row="${session}"]`).waitFor({ state: 'detached' })
    expect(faults).toEqual([])
  })

  it('shares a session with somebody who can watch, and not type', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Share…' }).click()
    await page.getByRole('radio', { name: 'watch', exact: true }).check()
    await page.getByRole('button', { name: 'Make a link' }).click()
    const address = await page.getByRole('textbox', { name: 'The link' }).inputValue()
    await page.keyboard.press('Escape')
    const guest = await kit.open(address.replace(`${kit.workspace.url}/`, ''), { stranger: true })
    await ready(guest.page)
    await guest.page.getByText('Read only').waitFor()
    await guest.page.keyboard.type('echo intruder')
    await guest.page.keyboard.press('Enter')
    await enter(page, 'echo for-""all')
    await sees(guest.page, 'for-all')
    expect((await screens(page)).join('\n')).not.toContain('intruder')
    expect(await guest.page.getByRole('button', { name: 'New session' }).count()).toBe(0)
    await page.locator('.peer').nth(1).waitFor()
    const stranger = await kit.open('webtty/shell?share=wrong', { stranger: true })
    await stranger.page.getByRole('alert').getByText('UNAUTHENTICATED').waitFor()
    expect([...faults, ...guest.faults]).toEqual([])
  })

  it('records a session, and plays it', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Recordings…' }).click()
    await page.getByRole('button', { name: 'Start recording' }).click()
    await page.getByRole('button', { name: 'Stop recording' }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.status').getByText('Recording').waitFor()
    await page.locator('.xterm-helper-textarea').focus()
    await enter(page, 'echo re""corded-$((40+2))')
    await sees(page, 'recorded-42')
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Recordings…' }).click()
    await page.getByRole('button', { name: 'Stop recording' }).click()
    await page
      .getByRole('button', { name: /^Play / })
      .first()
      .click()
    const player = page.getByRole('dialog', { name: /^Recording: / })
    await player.locator('.xterm-rows', { hasText: 'recorded-42' }).waitFor()
    const scrubber = player.getByRole('slider', { name: 'Position' })
    await scrubber.fill('0')
    await player.locator('.xterm-rows', { hasText: 'recorded-42' }).waitFor({ state: 'detached' })
    await player.getByLabel('Speed').selectOption('8')
    await player.getByRole('button', { name: 'Play' }).click()
    await player.locator('.xterm-rows', { hasText: 'recorded-42' }).waitFor()
    expect(faults).toEqual([])
  })

  it('lets a program write to the clipboard after consent, and never read it', async () => {
    const { page, faults } = await kit.open(undefined, { permissions: ['clipboard-read', 'clipboard-write'] })
    await ready(page)
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText())
    await page.evaluate(() => navigator.clipboard.writeText('mine'))
    await enter(page, String.raw`printf '\033]52;c;%s\007' "$(printf stolen | base64)"`)
    const notice = page.locator('.notice', { hasText: 'wants to put this on your clipboard' })
    await notice.getByText('stolen').waitFor()
    expect(await clipboard()).toBe('mine')
    await notice.getByRole('button', { name: 'Deny' }).click()
    await notice.waitFor({ state: 'detached' })
    expect(await clipboard()).toBe('mine')
    await enter(page, String.raw`printf '\033]52;c;%s\007' "$(printf wanted | base64)"`)
    await notice.getByRole('button', { name: 'Always for this session' }).click()
    await page.getByText('The program copied 6 characters').waitFor()
    expect(await clipboard()).toBe('wanted')
    await enter(page, String.raw`clear; printf '\033]52;c;?\007'; sleep 1; echo ans""wered-nothing`)
    await sees(page, /^answered-nothing$/)
    await sees(page, /(?:^|\s)[$#]$/)
    expect(faults).toEqual([])
  })

  it('types no answers of its own into the program', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const again = await kit.open(`webtty/shell?session=${sessionOf(page)}`)
    await ready(again.page)
    // Device attributes and the place of the cursor: one answer each, however many look on.
    await enter(
      page,
      String.raw`clear; stty -icanon -echo min 0 time 5; printf '\033[c\033[6n'; cat -v; stty sane; echo; echo do""ne`,
    )
    await sees(page, 'done')
    const text = (await screens(page)).join('\n')
    expect(text.match(/\^\[\[\?[\d;]+c/g)).toHaveLength(1)
    expect(text.match(/\^\[\[\d+;\d+R/g)).toHaveLength(1)
    expect(faults).toEqual([])
  })

  it('hostile output does nothing', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const popups: unknown[] = []
    page.context().on('page', (opened) => popups.push(opened))
    page.on('dialog', (opened) => popups.push(opened))
    for (const line of [
      String.raw`printf '\033]2;<img src=x onerror=alert(1)>\007'`,
      String.raw`printf '\033]8;;javascript:alert(1)\033\\clickme\033]8;;\033\\\n'`,
      String.raw`printf '\033]8;;https://user:pw@evil.example/\033\\credentials\033]8;;\033\\\n'`,
      String.raw`printf '\033[999999999;999999999H\033[999999999X\033[9999999b\033[?9999h\033P999999q\033\\'`,
      String.raw`printf '\033[8;9999;9999t\033[21t\033]0;\007'; head -c 300000 /dev/urandom | tr -d '\016' ; printf '\033c'`,
    ]) {
      await enter(page, line)
    }
    await enter(page, String.raw`printf '\033]8;;javascript:alert(1)\033\\clickme\033]8;;\033\\\n'; echo ali""ve`)
    await sees(page, /^alive$/, 20_000)
    const box = await page.locator('.xterm-rows span', { hasText: 'clickme' }).last().boundingBox()
    await page.mouse.click((box?.x ?? 0) + 8, (box?.y ?? 0) + 8)
    await page.getByRole('tab').first().click()
    expect(await page.locator('[onerror], .tabs img').count()).toBe(0)
    expect(popups).toEqual([])
    expect(faults).toEqual([])
  })
})
