/** Colours of terminals: those of the page, or one of the presets. */
import type { ITheme } from '@xterm/xterm'

export const PALETTE_NAMES = [
  'page',
  'light',
  'dark',
  'solarizedLight',
  'solarizedDark',
  'nord',
  'dracula',
  'contrast',
] as const
export type PaletteName = (typeof PALETTE_NAMES)[number]

/** Background, text, then the sixteen colours of ANSI in their order. */
type Preset = readonly [background: string, foreground: string, ansi: string]

const LIGHT =
  '24292f b3261e 14682f 855008 1d56a8 8b2fa8 0b6a62 57606a 4b5563 d1342b 1a7f37 a26000 2f6fd0 a348c2 0e857b 6b7683'
const DARK =
  '2d3743 ff9c92 6fd58d f0bd60 8bb9ff dda4f5 56d4c4 d5dbe2 7b8794 ffb4ac 93e4aa f7d28c aecdff ebc4fa 84e4d7 ffffff'
const SOLARIZED =
  '073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 586e75 cb4b16 93a1a1 657b83 839496 6c71c4 93a1a1 fdf6e3'

const PRESETS: Readonly<Record<Exclude<PaletteName, 'page'>, Preset>> = {
  light: ['ffffff', '17202b', LIGHT],
  dark: ['0d1117', 'e8edf3', DARK],
  solarizedLight: ['fdf6e3', '586e75', SOLARIZED],
  solarizedDark: ['002b36', '93a1a1', SOLARIZED],
  nord: [
    '2e3440',
    'd8dee9',
    '3b4252 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0 e5e9f0 4c566a bf616a a3be8c ebcb8b 81a1c1 b48ead 8fbcbb eceff4',
  ],
  dracula: [
    '282a36',
    'f8f8f2',
    '21222c ff5555 50fa7b f1fa8c bd93f9 ff79c6 8be9fd f8f8f2 6272a4 ff6e6e 69ff94 ffffa5 d6acff ff92df a4ffff ffffff',
  ],
  contrast: [
    '000000',
    'ffffff',
    '000000 ff6b6b 5dff5d ffff5d 8cb4ff ff8cff 5dffff ffffff a0a0a0 ff9b9b 9bff9b ffff9b b4ceff ffb4ff 9bffff ffffff',
  ],
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

function ansiOf(list: string): ITheme {
  const colours = list.split(' ').map((hex) => `#${hex}`)
  const entries = NAMES.flatMap((name, index) => [
    [name, colours[index]],
    [`bright${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`, colours[index + 8]],
  ])
  return Object.fromEntries(entries) as ITheme
}

export interface PageColours {
  readonly isDark: boolean
  /** As CSS colours. */
  readonly background: string
  readonly foreground: string
  readonly accent: string
  readonly selection: string
  readonly mark: string
}

/** The theme of xterm for a palette; `page` gives the colours of the frame and of the marks around it. */
export function themeOf(name: PaletteName, page: PageColours): ITheme {
  const [background, foreground, ansi] = name === 'page' ? [null, null, page.isDark ? DARK : LIGHT] : PRESETS[name]
  const text = foreground === null ? page.foreground : `#${foreground}`
  const ground = background === null ? page.background : `#${background}`
  return {
    ...ansiOf(ansi),
    background: ground,
    foreground: text,
    cursor: name === 'page' ? page.accent : text,
    cursorAccent: ground,
    selectionBackground: name === 'page' ? page.selection : '#7f8fa680',
    selectionInactiveBackground: '#7f8fa655',
    scrollbarSliderBackground: '#7f8fa655',
    scrollbarSliderHoverBackground: '#7f8fa688',
    scrollbarSliderActiveBackground: '#7f8fa6bb',
    overviewRulerBorder: '#00000000',
  }
}

/** The tokens of the page as the browser computes them. */
export function pageColours(): PageColours {
  const probe = document.createElement('span')
  probe.hidden = true
  document.body.append(probe)
  const colour = (token: string): string => {
    probe.style.color = `var(--${token})`
    return getComputedStyle(probe).color
  }
  const colours = {
    isDark: isDark(colour('bg')),
    background: colour('surface'),
    foreground: colour('text'),
    accent: colour('accent'),
    selection: colour('accent-soft'),
    mark: colour('warn-soft'),
  }
  probe.remove()
  return colours
}

function isDark(rgb: string): boolean {
  const [red = 255, green = 255, blue = 255] = (rgb.match(/[\d.]+/g) ?? []).map(Number)
  return red * 0.3 + green * 0.59 + blue * 0.11 < 128
}
