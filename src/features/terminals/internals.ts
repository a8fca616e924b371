/**
 * Parts of xterm that it does not promise, for what its API cannot do: to read ten thousand lines in milliseconds, and to
 * know that nothing half-read is waiting. The version is fixed, a test fails when they move, and without them the slow ways are taken.
 */
import type { Terminal } from '@xterm/headless'
import * as z from 'zod/mini'

/** One line: three numbers a cell (content, foreground, background); see `scrollback.ts`. */
export interface RawLine {
  readonly isWrapped: boolean
  readonly _data: Uint32Array
  /** Characters of more than one code point, by column. */
  readonly _combined: Readonly<Record<number, string | undefined>>
  /** By column, where the cell says that it has some. */
  readonly _extendedAttrs: Readonly<Record<number, RawExtended | undefined>>
}

/** Kind and colour of an underline, and the number of a link; 0: none. */
export interface RawExtended {
  readonly _ext: number
  readonly _urlId: number
}

export interface RawBuffer {
  readonly lines: { readonly length: number; get(index: number): RawLine | undefined }
  readonly ybase: number
  readonly x: number
  readonly y: number
  readonly scrollTop: number
  readonly scrollBottom: number
  /** What DECSC put aside; the row counts from the first line that is kept. */
  readonly savedX: number
  readonly savedY: number
  readonly savedCurAttrData: Pen
  readonly savedCharset: Charset
  /** Columns with a tab stop. */
  readonly tabs: Readonly<Record<number, boolean | undefined>>
}

/** Where a link (OSC 8) leads, by its number in the terminal. */
export type Links = (link: number) => { readonly id?: string | undefined; readonly uri: string } | undefined

export interface Pen {
  readonly fg: number
  readonly bg: number
  readonly extended: RawExtended
}

/** What letters stand for; undefined: themselves. */
export type Charset = Readonly<Record<string, string | undefined>> | undefined

interface Core {
  readonly buffer?: RawBuffer
  readonly buffers?: { readonly normal?: RawBuffer }
  readonly _oscLinkService?: { getLinkData: Links }
  readonly _inputHandler?: {
    readonly onColor?: (listener: (events: readonly ColourEvent[]) => void) => unknown
    readonly _parser?: { readonly currentState?: unknown }
  }
}

const coreOf = (terminal: Terminal): Core | undefined => (terminal as unknown as { _core?: Core })._core

function isBuffer(buffer: RawBuffer | undefined): buffer is RawBuffer {
  if (typeof buffer?.lines?.get !== 'function') return false
  const { ybase, x, y, scrollTop, scrollBottom, savedX, savedY, savedCurAttrData } = buffer
  const numbers = [ybase, x, y, scrollTop, scrollBottom, savedX, savedY, savedCurAttrData?.fg, savedCurAttrData?.bg]
  const line = buffer.lines.get(0)
  return (
    numbers.every((number) => typeof number === 'number') &&
    typeof buffer.tabs === 'object' &&
    line?._data instanceof Uint32Array &&
    typeof line._combined === 'object' &&
    typeof line._extendedAttrs === 'object'
  )
}

export interface RawState {
  /** The one with the scrollback. */
  readonly normal: RawBuffer
  /** Of a full-screen program; null: the normal one is shown. */
  readonly alternate: RawBuffer | null
  /** Attributes that the next character gets. */
  readonly pen: Pen
  /** G0 to G3, and which of them is in use. */
  readonly charsets: readonly Charset[]
  readonly charsetInUse: number
  readonly isCursorHidden: boolean
  readonly cursorStyle: string | null
  readonly isCursorBlinking: boolean
  /** `SGR`, `SGR_PIXELS` or the default. */
  readonly mouseEncoding: string
  readonly links: Links
}

const charsetSchema = z.optional(z.record(z.string(), z.string()))
const extendedSchema = z.object({ _ext: z.number(), _urlId: z.number() })
const hiddenSchema = z.object({
  _charsetService: z.object({ glevel: z.number(), _charsets: z.array(charsetSchema) }),
  _inputHandler: z.object({ _curAttrData: z.object({ fg: z.number(), bg: z.number(), extended: extendedSchema }) }),
  coreMouseService: z.object({ activeEncoding: z.string() }),
  coreService: z.object({
    isCursorHidden: z.boolean(),
    decPrivateModes: z.object({ cursorStyle: z.optional(z.string()), cursorBlink: z.optional(z.boolean()) }),
  }),
})

/** All that the API does not tell; null: this version keeps it elsewhere. */
export function rawState(terminal: Terminal): RawState | null {
  const core = coreOf(terminal)
  const [normal, active] = [core?.buffers?.normal, core?.buffer]
  const hidden = hiddenSchema.safeParse(core)
  if (!isBuffer(normal) || !isBuffer(active) || !hidden.success) return null
  const { _inputHandler, _charsetService, coreMouseService, coreService } = hidden.data
  const { cursorStyle, cursorBlink } = coreService.decPrivateModes
  const service = core?._oscLinkService
  if (typeof service?.getLinkData !== 'function') return null
  return {
    links: (link) => service.getLinkData(link),
    ...{ normal, alternate: active === normal ? null : active, pen: _inputHandler._curAttrData },
    ...{ charsets: _charsetService._charsets, charsetInUse: _charsetService.glevel },
    ...{ isCursorHidden: coreService.isCursorHidden, mouseEncoding: coreMouseService.activeEncoding },
    ...{ cursorStyle: cursorStyle ?? null, isCursorBlinking: cursorBlink === true },
  }
}

export interface ColourEvent {
  readonly type: number
  readonly index?: number
  /** Red, green, blue; 0 to 255. */
  readonly color?: readonly number[]
}

/** Colours that a program sets, asks for and gives back. */
export function colourEvents(terminal: Terminal, listener: (events: readonly ColourEvent[]) => void): void {
  coreOf(terminal)?._inputHandler?.onColor?.(listener)
}

const GROUND = 0

/** Plain text only moves the whole screen up: no sequence is half-read, and no part of the screen stands still. False: or unknown. */
export function scrollsPlainly(terminal: Terminal): boolean {
  const core = coreOf(terminal)
  const buffer = core?.buffer
  return (
    core?._inputHandler?._parser?.currentState === GROUND &&
    isBuffer(buffer) &&
    buffer.scrollTop === 0 &&
    buffer.scrollBottom === terminal.rows - 1
  )
}
