import { describe, expect, it } from 'vitest'
import { createAcks } from '../../../public/webtty/acks.ts'
import { eventsUntil, parseCast } from '../../../public/webtty/asciicast.ts'
import { readMessage } from '../../../public/webtty/frames.ts'
import { parseTabs } from '../../../public/webtty/kept-tabs.ts'
import { actionOf, bytesOf, withModifiers } from '../../../public/webtty/keys.ts'
import {
  addTab,
  closeTab,
  EMPTY,
  focusedTab,
  neighbourOf,
  selectTab,
  split,
  unsplit,
} from '../../../public/webtty/layout.ts'
import { safeLink } from '../../../public/webtty/links.ts'
import { parseClipboardRequest } from '../../../public/webtty/osc52.ts'
import { checkPaste, previewOf } from '../../../public/webtty/paste.ts'
import { createPlayback } from '../../../public/webtty/playback.ts'
import { commandIn } from '../../../public/webtty/problem.ts'
import { verdictOf } from '../../../public/webtty/reconnect.ts'
import { parseSettings } from '../../../public/webtty/settings.ts'
import { CLOSE } from '../../../src/features/terminals/protocol.ts'

describe('what was drawn', () => {
  it('is told every so often, and the rest when nothing comes', () => {
    const acks = createAcks(100)
    acks.begin(0)
    acks.arrived(60)()
    expect(acks.due(false)).toBeNull()
    acks.arrived(60)()
    expect(acks.due(false)).toBe(120)
    acks.arrived(5)()
    expect([acks.due(false), acks.due(true), acks.due(true)]).toEqual([null, 125, null])
  })
  it('does not count the snapshot, wherever its last frame ends', () => {
    const acks = createAcks(1)
    acks.begin(100)
    acks.arrived(70)()
    expect(acks.due(true)).toBeNull()
    acks.arrived(50)()
    expect(acks.due(true)).toBe(20)
  })
  it('forgets what belongs to the time before a snapshot', () => {
    const acks = createAcks(1)
    acks.begin(0)
    const late = acks.arrived(40)
    acks.begin(10)
    late()
    expect(acks.due(true)).toBeNull()
    acks.arrived(11)()
    expect(acks.due(true)).toBe(1)
  })
})

describe('after a connection ended', () => {
  it('every reason that the router gives is final, all others are worth a try', () => {
    for (const code of Object.values(CLOSE)) expect(verdictOf(code, 0, 0).kind).toBe('final')
    for (const code of [1001, 1005, 1006, 1011, 1012, 3000]) expect(verdictOf(code, 0, 0).kind).toBe('retry')
  })
  it('waits longer each time, up to a limit', () => {
    const waits = [0, 1, 2, 3, 20].map((attempt) => {
      const verdict = verdictOf(1006, attempt, 0.999)
      return verdict.kind === 'retry' ? verdict.waitMs : 0
    })
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits.at(-1)).toBeLessThanOrEqual(15_000)
    expect(waits[0]).toBeGreaterThan(0)
  })
})

describe('pasted text', () => {
  it('asks where lines would run', () => {
    expect(checkPaste('one line', false).asks).toBe(false)
    expect(checkPaste('ls\n', false)).toMatchObject({ asks: true, lines: 1 })
    expect(checkPaste('a\r\nb\rc', false)).toMatchObject({ text: 'a\nb\nc', lines: 3, asks: true })
    expect(checkPaste('a\nb', true).asks).toBe(false)
    expect(checkPaste('x'.repeat(70_000), true).asks).toBe(true)
  })
  it('cannot leave its bracket', () => {
    expect(checkPaste('a\x1b[201~\x03\x9b\x00b\tc', true).text).toBe('a[201~b\tc')
  })
  it('is shown in part', () => {
    const shown = previewOf(checkPaste(`${'y'.repeat(500)}\n${'n\n'.repeat(100)}`, false)).split('\n')
    expect(shown.length).toBe(13)
    expect(shown[0]?.length).toBe(201)
  })
})

describe('links', () => {
  it.each(['https://example.org/a?b#c', 'http://127.0.0.1:8080/'])('%s can be opened', (link) => {
    expect(safeLink(link)).toBe(link)
  })
  it.each([
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'blob:https://example.org/1',
    'ftp://example.org/',
    'https://bank.example@evil.example/',
    '//example.org',
    'example.org',
    '',
    `https://example.org/${'a'.repeat(3000)}`,
  ])('%s cannot', (link) => expect(safeLink(link)).toBeNull())
})

describe('the clipboard of a program', () => {
  const ask = (text: string, targets = 'c') =>
    parseClipboardRequest(`${targets};${Buffer.from(text).toString('base64')}`)
  it('can be asked for writing', () => {
    expect(ask('grüße 😀\n')).toEqual({ kind: 'write', text: 'grüße 😀\n' })
    expect(ask('a\x1b[31mb\x00', '')).toEqual({ kind: 'write', text: 'a[31mb' })
  })
  it.each([
    'c;?',
    '?',
    'c;',
    '',
    'c;%%%',
    `c;${Buffer.from([0xff, 0xfe]).toString('base64')}`,
    `c;${'A'.repeat(2 ** 21)}`,
  ])('cannot be read, nor broken (%#)', (data) => expect(parseClipboardRequest(data)).toEqual({ kind: 'refused' }))
})

describe('recordings', () => {
  const V3 =
    '{"version":3,"term":{"cols":100,"rows":30},"title":"t"}\n[0.5,"o","a"]\n[0.5,"r","90x20"]\nbroken\n[1,"o","b"]\n[-9,"m","x"]\n[0,"x","0"]\n'
  it('of version 3 count from the event before', () => {
    const cast = parseCast(V3)
    expect(cast).toMatchObject({ cols: 100, rows: 30, title: 't', duration: 2 })
    expect(cast?.events.map(({ at, kind }) => [at, kind])).toEqual([
      [0.5, 'output'],
      [1, 'resize'],
      [2, 'output'],
      [2, 'marker'],
      [2, 'exit'],
    ])
  })
  it('of version 2 count from the beginning', () => {
    const cast = parseCast('{"version":2,"width":80,"height":24}\n[1,"o","a"]\n[3,"o","b"]')
    expect(cast?.events.map(({ at }) => at)).toEqual([1, 3])
  })
  it.each(['', 'null', '[]', '{"version":1}', '<html>', '{"version":"3"}'])('%s is none', (text) => {
    expect(parseCast(text)).toBeNull()
  })
  it('have sizes that a terminal can have', () => {
    expect(parseCast('{"version":3,"term":{"cols":1e9,"rows":-1}}')).toMatchObject({ cols: 1000, rows: 24 })
  })
  it('are found by time', () => {
    const cast = parseCast(V3)
    if (cast === null) throw new Error('no recording')
    expect([-1, 0.4, 0.5, 1.5, 99].map((at) => eventsUntil(cast, at))).toEqual([0, 0, 1, 2, 5])
  })
  it('are drawn again from the beginning when one goes back', () => {
    const cast = parseCast(V3)
    if (cast === null) throw new Error('no recording')
    let written = ''
    const term = {
      write: (data: string | Uint8Array, done?: () => void) => {
        written += String(data)
        done?.()
      },
      resize: () => {},
    }
    const playback = createPlayback(cast, term, () => {})
    playback.seek(2)
    playback.seek(0.6)
    playback.close()
    expect(written).toBe('\x1bcab\x1bca')
  })
})

describe('tabs and panes', () => {
  const three = ['a', 'b', 'c'].reduce(addTab, EMPTY)
  it('open beside the one in front, and close towards a neighbour', () => {
    expect(addTab(selectTab(three, 'a'), 'd').tabs).toEqual(['a', 'd', 'b', 'c'])
    expect(focusedTab(closeTab(three, 'c'))).toBe('b')
    expect(focusedTab(closeTab(selectTab(three, 'a'), 'a'))).toBe('b')
    expect(closeTab(addTab(EMPTY, 'x'), 'x')).toMatchObject({ tabs: [], shown: [] })
  })
  it('never show one twice', () => {
    const two = split(three, 'a', 'row')
    expect(two.shown).toEqual(['c', 'a'])
    expect(selectTab(two, 'c')).toMatchObject({ shown: ['c', 'a'], focused: 0 })
    expect(selectTab(two, 'b').shown).toEqual(['c', 'b'])
    expect(closeTab(two, 'a').shown).toEqual(['c'])
    expect(unsplit(two).shown).toEqual(['a'])
  })
  it('are walked in a circle', () => {
    expect([neighbourOf(three, 1), neighbourOf(three, -1), neighbourOf(EMPTY, 1)]).toEqual(['a', 'b', null])
  })
  it.each(['', '{', '7', '{"tabs":1}', '{"tabs":[],"shown":[]}', '{"tabs":[{"agent":1}],"shown":[0]}'])(
    'kept as %s are none',
    (text) => expect(parseTabs(text)).toBeNull(),
  )
  it('come back as they were kept', () => {
    const tabs = [
      { agent: 'a', session: '1' },
      { agent: 'b', session: '2' },
    ]
    const kept = { tabs, shown: [1, 0], focused: 1, direction: 'column' } as const
    expect(parseTabs(JSON.stringify(kept))).toEqual(kept)
    expect(parseTabs(JSON.stringify({ ...kept, shown: [9, 1, 1] }))?.shown).toEqual([1])
  })
})

describe('keys', () => {
  const key = (code: string, held: string) => ({
    ...{ key: '', code, ctrlKey: held.includes('c'), shiftKey: held.includes('s') },
    ...{ altKey: held.includes('a'), metaKey: held.includes('m') },
  })
  it('of the page are few, and never what a program needs', () => {
    expect(actionOf(key('KeyC', 'cs'))).toBe('copy')
    expect(actionOf(key('F6', 'c'))).toBe('nextRegion')
    for (const code of ['KeyC', 'KeyV', 'KeyD', 'KeyP', 'KeyW', 'Tab']) expect(actionOf(key(code, 'c'))).toBeNull()
    expect(actionOf(key('KeyC', 'csm'))).toBeNull()
  })
  it('of the bar send what those of a keyboard do', () => {
    const none = { ctrl: false, alt: false }
    expect(bytesOf('up', none, false)).toBe('\x1b[A')
    expect(bytesOf('up', none, true)).toBe('\x1bOA')
    expect(bytesOf('left', { ctrl: true, alt: false }, true)).toBe('\x1b[1;5D')
    expect(bytesOf('pageDown', { ctrl: false, alt: true }, false)).toBe('\x1b[6;3~')
    expect(bytesOf('tab', none, false)).toBe('\t')
    expect(withModifiers('c', { ctrl: true, alt: false })).toBe('\x03')
    expect(withModifiers('x', { ctrl: false, alt: true })).toBe('\x1bx')
    expect(withModifiers('é', { ctrl: true, alt: false })).toBe('é')
  })
})

describe('what the router says', () => {
  it('is read, and names in it are plain text', () => {
    const session = {
      id: 's',
      agent: 'demo',
      title: 'a\x1b[31mb\u202e',
      peers: [{ id: 'p', name: '\x07x', role: 'king' }],
    }
    expect(
      readMessage(JSON.stringify({ type: 'attached', session, self: 'p', role: 'editor', snapshotBytes: 7 })),
    ).toMatchObject({
      type: 'attached',
      role: 'editor',
      snapshotBytes: 7,
      session: { title: 'ab', peers: [{ name: 'x', role: 'viewer', active: false }], exitCode: null },
    })
    expect(readMessage('{"type":"size","cols":-4,"rows":"x"}')).toEqual({ type: 'size', cols: 0, rows: 0 })
  })
  it.each(['', '{', 'null', '[]', '{"type":"later"}', '"attached"'])('%s is left out', (text) => {
    expect(readMessage(text)).toBeNull()
  })
  it('has commands in its hints', () => {
    expect(commandIn('Run: ploinky start demo')).toBe('ploinky start demo')
    expect(commandIn('ploinky status')).toBe('ploinky status')
    expect(commandIn('Ask somebody')).toBeNull()
  })
})

it('settings that do not fit are as by default', () => {
  expect(parseSettings('{"fontSize":1e9,"palette":"neon","contrast":3,"webgl":"yes","copyOnSelect":true}')).toEqual({
    ...{ fontSize: 32, palette: 'page', contrast: 4.5, webgl: false, copyOnSelect: true, screenReader: false },
  })
  for (const text of [null, '', '[]', '"x"', '{"fontSize":"big"}']) expect(parseSettings(text).fontSize).toBe(14)
})
