/** Small line icons, 16 by 16, drawn in the colour of the text. Decorative: the words beside them carry the meaning. */
const PATHS = {
  ready: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM5 8.2l2.1 2.1L11.2 6',
  starting: 'M8 1.5a6.5 6.5 0 1 1-6.5 6.5',
  unready: 'M8 2L14.5 13.5H1.5zM8 6.5v3M8 11.5v.01',
  failed: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6',
  stopped: 'M4 4h8v8H4z',
  disabled: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM3.5 3.5l9 9',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  check: 'M3 8.5l3.3 3.3L13 5',
  open: 'M9.5 2.5h4v4M13.5 2.5L8 8M11.5 9.5v4h-9v-9h4',
  logs: 'M2.5 3.5h11M2.5 6.5h11M2.5 9.5h7M2.5 12.5h9',
  restart: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2v3h-3',
  start: 'M4.5 2.8v10.4L13 8z',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  warning: 'M8 2L14.5 13.5H1.5zM8 6.5v3M8 11.5v.01',
  auto: 'M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 1 1 0 13',
  light: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM8 1v1M8 14v1M1 8h1M14 8h1M3 3l.7.7M12.3 12.3l.7.7M13 3l-.7.7M3.7 12.3L3 13',
  dark: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  signOut: 'M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3',
  live: 'M8 7a1 1 0 1 0 0 2a1 1 0 1 0 0-2zM4.8 4.8a4.5 4.5 0 0 0 0 6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4',
  folder: 'M1.5 4h5l1.5 2h6.5v7h-13z',
  file: 'M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3',
  download: 'M8 2v8M4.5 6.5L8 10l3.5-3.5M2.5 13.5h11',
  upload: 'M8 10.5v-8M4.5 6L8 2.5 11.5 6M2.5 13.5h11',
  pause: 'M5 3.5v9M11 3.5v9',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, spin = false }: { name: IconName; spin?: boolean }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false" class={spin ? 'spin' : undefined}>
      <path
        d={PATHS[name]}
        fill={name === 'start' || name === 'stopped' ? 'currentColor' : 'none'}
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  )
}

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round">
        <path d="M4 22.5c3.4 3.3 7.4 5 12 5s8.6-1.7 12-5" />
        <path d="M8.5 17.8c2.1 2 4.6 3 7.5 3s5.4-1 7.5-3" />
      </g>
      <path d="M16 2.5c2.9 3.9 4.4 6.5 4.4 8.6a4.4 4.4 0 1 1-8.8 0c0-2.1 1.5-4.7 4.4-8.6z" fill="currentColor" />
    </svg>
  )
}
