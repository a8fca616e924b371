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
  share:
    'M12 2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6zM4 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6zM12 10.4a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6zM5.6 7.2l4.8-2.5M5.6 8.9l4.8 2.4',
  splitRow: 'M1.5 2.5h13v11h-13zM8 2.5v11',
  splitColumn: 'M1.5 2.5h13v11h-13zM1.5 8h13',
  more: 'M3 7.2a.8.8 0 1 0 0 1.6a.8.8 0 1 0 0-1.6zM8 7.2a.8.8 0 1 0 0 1.6a.8.8 0 1 0 0-1.6zM13 7.2a.8.8 0 1 0 0 1.6a.8.8 0 1 0 0-1.6z',
  previous: 'M3.5 10L8 5.5l4.5 4.5',
  next: 'M3.5 6L8 10.5L12.5 6',
  record: 'M8 4.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z',
  keyboard: 'M1.5 4h13v8.5h-13zM4 6.5v.01M6.7 6.5v.01M9.4 6.5v.01M12 6.5v.01M4.5 10h7',
  rename: 'M10.5 2.5l3 3L6 13H3v-3zM8.5 4.5l3 3',
  users:
    'M6 2.5a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 1 0 0-5.2zM1.5 13.5c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M10.8 3a2.3 2.3 0 0 1 0 4.4M12.2 9.9c1.4 .5 2.2 1.8 2.4 3.6',
  download: 'M8 2v8M4.5 7L8 10.5L11.5 7M2.5 13.5h11',
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
  upload: 'M8 10.5v-8M4.5 6L8 2.5 11.5 6M2.5 13.5h11',
  pause: 'M5 3.5v9M11 3.5v9',
  back: 'M10 3L5 8l5 5',
  menu: 'M2 4h12M2 8h12M2 12h12',
  agents: 'M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z',
  catalog: 'M2.5 5.5h11v8h-11zM1.5 2.5h13v3h-13zM6.5 8.5h3',
  tools:
    'M13.7 4.3a3.6 3.6 0 0 1-4.9 4.4L4.3 13.2a1.7 1.7 0 0 1-2.4-2.4L6.4 6.3a3.6 3.6 0 0 1 4.4-4.9L8.7 3.5l.4 2.4 2.4 .4z',
  events: 'M1.5 8h3l2-5 3 10 2-5h3',
  charts: 'M2 2v12h12M5 11V8M8.5 11V4.5M12 11V6.5',
  topology:
    'M8 2a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4zM3.7 10.6a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4zM12.3 10.6a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4zM7 5.2L4.5 10.6M9 5.2l2.5 5.4',
  access: 'M5.5 6.5a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM7.7 7.3L13.5 1.5M11 4l2 2',
  variables:
    'M5.5 2.5c-2 0-2.5 1-2.5 2.5s0 3-1.5 3c1.5 0 1.5 1.5 1.5 3s.5 2.5 2.5 2.5M10.5 2.5c2 0 2.5 1 2.5 2.5s0 3 1.5 3c-1.5 0-1.5 1.5-1.5 3s-.5 2.5-2.5 2.5',
  repositories: 'M1.5 3.5h4.5l1.5 2h7v8h-13z',
  profiles: 'M8 1.5l6.5 3.3L8 8.1L1.5 4.8zM1.5 8L8 11.3L14.5 8M1.5 11.2L8 14.5l6.5-3.3',
  routes: 'M3.5 9.5a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM12.5 2.5a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM5.5 11.5h3a2.5 2.5 0 0 0 0-7h2',
  settings:
    'M2 4.5h7M12.5 4.5h1.5M2 11.5h1.5M7 11.5h7M10.7 2.8a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4zM5.3 9.8a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4z',
  search: 'M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM10.7 10.7L14 14',
  bell: 'M8 1.8a4 4 0 0 0-4 4c0 4-1.5 5.2-1.5 5.2h11S12 9.8 12 5.8a4 4 0 0 0-4-4zM6.5 13.2a1.5 1.5 0 0 0 3 0',
  add: 'M8 3v10M3 8h10',
  remove: 'M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4',
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM8 7.5v3.5M8 5v.01',
  terminal: 'M1.5 2.5h13v11h-13zM4 6l2.5 2L4 10M8 10.5h3.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, spin = false }: { name: IconName; spin?: boolean }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false" class={spin ? 'spin' : undefined}>
      <path
        d={PATHS[name]}
        fill={name === 'start' || name === 'stopped' || name === 'record' ? 'currentColor' : 'none'}
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
