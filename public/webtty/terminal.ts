/** xterm with what this page adds to it. Knows nothing of connections. */
import type { FitAddon } from '@xterm/addon-fit'
import type { SearchAddon } from '@xterm/addon-search'
import type { ILinkHandler, ITerminalOptions, Terminal } from '@xterm/xterm'
import { plainText } from '../shared/format.ts'
import { safeLink } from './links.ts'
import { parseClipboardRequest } from './osc52.ts'
import { pageColours, themeOf } from './palettes.ts'
import { swallowQueries } from './queries.ts'
import type { Settings } from './settings.ts'
import { strings } from './strings.ts'
import type { CursorName } from './cursor-name.ts'
import { createCursorName } from './cursor-name.ts'
import { createPictureWriter } from './pictures.ts'
import { createShrink } from './shrink.ts'
import type { Shrink } from './shrink.ts'
import { scrollByTouch } from './touch.ts'

export interface TerminalEvents {
  /** Typed, pasted, or moved with the mouse; `binary`: each character is a byte. */
  onInput(data: string, binary: boolean): void
  onSize(size: Size): void
  onKey(event: KeyboardEvent): boolean
  onPaste(text: string): void
  onSelect(text: string): void
  /** The address under the pointer; null when there is none any more. */
  onLink(address: string | null): void
  onOpen(address: string): void
  onClipboard(text: string): void
  onBell(): void
}

export interface Size {
  readonly cols: number
  readonly rows: number
}

export interface TerminalView {
  readonly term: Terminal
  /** What is shown goes in here, and not into `term`: pictures need to be prepared for. */
  readonly screen: Pick<Terminal, 'write' | 'resize'>
  /** Puts it into a place on the page; may be called again with another one. */
  mount(host: HTMLElement): void
  /** What fits into its place, which has perhaps changed; null while it is not in sight. */
  fitting(): Size | null
  /** Who moves the cursor; null: nobody else. */
  nameCursor(name: string | null): void
  apply(settings: Settings, readOnly: boolean): void
  search(): Promise<SearchAddon>
  dispose(): void
}

const SCROLLBACK = 10_000
const libraries = import('./lazy/xterm.ts')

function linkHandler(events: TerminalEvents): ILinkHandler {
  return {
    allowNonHttpProtocols: false,
    activate(event, text) {
      event.preventDefault()
      const address = safeLink(text)
      if (address !== null) events.onOpen(address)
    },
    hover: (_event, text) => events.onLink(safeLink(text)),
    leave: () => events.onLink(null),
  }
}

function optionsOf(settings: Settings): ITerminalOptions {
  const style = getComputedStyle(document.documentElement)
  return {
    allowProposedApi: true,
    // It would tell the console about each malformed sequence: of a binary file, thousands.
    logLevel: 'off',
    scrollback: SCROLLBACK,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: style.getPropertyValue('--mono').trim(),
    fontSize: settings.fontSize,
    minimumContrastRatio: settings.contrast,
    screenReaderMode: settings.screenReader,
    theme: themeOf(settings.palette, pageColours()),
    macOptionIsMeta: true,
    rightClickSelectsWord: false,
    overviewRuler: { width: 10 },
  }
}

/** Makes a terminal that is not on the page yet. */
export async function createTerminalView(settings: Settings, events: TerminalEvents): Promise<TerminalView> {
  const { Terminal, FitAddon, Unicode11Addon, WebLinksAddon } = await libraries
  const links = linkHandler(events)
  const term = new Terminal({ ...optionsOf(settings), linkHandler: links })
  const fit = new FitAddon()
  term.loadAddon(fit)
  term.loadAddon(new Unicode11Addon())
  term.unicode.activeVersion = '11'
  term.loadAddon(
    new WebLinksAddon((event, text) => links.activate(event, text, undefined as never), {
      hover: (_event, text) => events.onLink(safeLink(text)),
      leave: () => events.onLink(null),
    }),
  )
  swallowQueries(term)
  listen(term, events)
  const element = document.createElement('div')
  element.className = 'terminal-box'
  const renderer = createRenderer(term)
  const pictures = createPictureWriter(term, () => loadPictures(term))
  let search: Promise<SearchAddon> | null = null
  let shrink: Shrink | null = null
  let cursorName: CursorName | null = null
  let name: string | null = null
  return {
    term,
    screen: { write: pictures.write, resize: (cols, rows) => term.resize(cols, rows) },
    mount(host) {
      host.append(element)
      if (term.element !== undefined) return
      term.open(element)
      dress(element, term, events)
      shrink = createShrink(term, element)
      cursorName = createCursorName(term, element, shrink)
      cursorName.set(name)
      renderer.use(settings.webgl)
    },
    fitting() {
      const size = fittingSize(element, fit)
      shrink?.apply()
      return size
    },
    nameCursor(next) {
      name = next
      cursorName?.set(next)
    },
    apply(next, readOnly) {
      Object.assign(term.options, optionsOf(next), {
        disableStdin: readOnly,
        cursorInactiveStyle: readOnly ? 'none' : 'outline',
      })
      if (term.element !== undefined) renderer.use(next.webgl)
    },
    search: () => (search ??= loadSearch(term)),
    dispose() {
      term.dispose()
      element.remove()
    },
  }
}

function listen(term: Terminal, events: TerminalEvents): void {
  term.onData((data) => events.onInput(data, false))
  term.onBinary((data) => events.onInput(data, true))
  term.onBell(() => events.onBell())
  term.attachCustomKeyEventHandler((event) => events.onKey(event))
  term.onSelectionChange(() => {
    if (term.hasSelection()) events.onSelect(term.getSelection())
  })
  term.onResize((size) => events.onSize(size))
  term.parser.registerOscHandler(52, (data) => {
    const request = parseClipboardRequest(data)
    if (request.kind === 'write' && request.text !== '') events.onClipboard(request.text)
    return true
  })
}

/** What can only be done once xterm has made its elements. */
function dress(element: HTMLElement, term: Terminal, events: TerminalEvents): void {
  const { textarea } = term
  if (textarea !== undefined) {
    for (const [name, value] of Object.entries({
      autocomplete: 'off',
      enterkeyhint: 'enter',
      'aria-label': strings.terminalLabel,
      'aria-keyshortcuts': 'Control+F6',
    })) {
      textarea.setAttribute(name, value)
    }
  }
  element.addEventListener(
    'paste',
    (event) => {
      event.preventDefault()
      event.stopPropagation()
      events.onPaste(event.clipboardData?.getData('text/plain') ?? '')
    },
    { capture: true },
  )
  scrollByTouch(element, term, (lines) => {
    const arrow = `\x1b${term.modes.applicationCursorKeysMode ? 'O' : '['}${lines < 0 ? 'A' : 'B'}`
    events.onInput(arrow.repeat(Math.min(Math.abs(lines), term.rows)), false)
  })
}

function fittingSize(element: HTMLElement, fit: FitAddon): Size | null {
  if (element.clientWidth === 0 || element.clientHeight === 0) return null
  const size = fit.proposeDimensions()
  if (size === undefined || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return null
  return { cols: Math.max(2, size.cols), rows: Math.max(1, size.rows) }
}

/** Draws with elements, or on the graphics card for as long as that works. */
function createRenderer(term: Terminal) {
  let wanted = false
  let drop: (() => void) | null = null
  return {
    use(webgl: boolean): void {
      if (webgl === wanted) return
      wanted = webgl
      drop?.()
      drop = null
      if (webgl) void start()
    },
  }

  async function start(): Promise<void> {
    try {
      const { WebglAddon } = await import('./lazy/webgl.ts')
      if (!wanted || drop !== null) return
      const addon = new WebglAddon()
      const stop = (): void => addon.dispose()
      // A browser takes contexts away when there are many, or when the card is reset: the elements still work.
      addon.onContextLoss(stop)
      term.loadAddon(addon)
      drop = stop
    } catch {
      // No WebGL here: nothing is lost but speed.
    }
  }
}

async function loadSearch(term: Terminal): Promise<SearchAddon> {
  const { SearchAddon } = await import('./lazy/search.ts')
  const addon = new SearchAddon()
  term.loadAddon(addon)
  return addon
}

async function loadPictures(term: Terminal): Promise<void> {
  const { addPictures } = await import('./lazy/pictures.ts')
  await addPictures(term)
  // It answers questions about pictures; here too, only the router does.
  swallowQueries(term)
}

/** What a program calls itself, for a tab. */
export const cleanTitle = (title: string): string => plainText(title).trim().slice(0, 120)
