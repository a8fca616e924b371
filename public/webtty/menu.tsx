/** Everything that has no button of its own. The browser's popover: Escape and a click elsewhere close it. */
import { useRef } from 'preact/hooks'
import { routerUrl } from '../shared/api.ts'
import { Icon } from '../shared/icons.tsx'
import type { IconName } from '../shared/icons.tsx'
import { onAction } from './actions.ts'
import { closeTab, dialog, focusedSession, focusTerminal, guest, nameOf, openFiles, splitTo } from './store.ts'
import { strings } from './strings.ts'

interface Item {
  readonly label: string
  readonly icon: IconName
  readonly keys?: string
  readonly danger?: boolean
  run(): void
}

const { menuItems } = strings
const commandsItem: Item = {
  ...{ label: menuItems.palette, icon: 'search', keys: 'Alt+Shift+P' },
  run: () => onAction('palette'),
}
const ofRouter = (kind: 'sessions' | 'recordings' | 'picker', label: string, icon: IconName): Item => ({
  label,
  icon,
  run: () => {
    dialog.value = { kind }
  },
})

function ofSession(kind: 'rename' | 'share' | 'end' | 'commands', label: string, icon: IconName): Item[] {
  const session = focusedSession.value
  if (session === null || guest.value) return []
  const needsRole = kind === 'share' || kind === 'end' || kind === 'rename'
  if (needsRole && session.role.value !== 'owner') return []
  if (kind === 'end' && session.ended.value !== null) return []
  return [{ label, icon, danger: kind === 'end', run: () => (dialog.value = { kind, session }) }]
}

function groups(): Item[][] {
  const own = !guest.value
  const session = focusedSession.value
  const term = session?.terminal.value?.term
  return [
    [
      { label: menuItems.copy, icon: 'copy', keys: 'Ctrl+Shift+C', run: () => onAction('copy') },
      { label: menuItems.paste, icon: 'logs', keys: 'Ctrl+Shift+V', run: () => onAction('paste') },
      { label: menuItems.selectAll, icon: 'check', run: () => term?.selectAll() },
      { label: menuItems.clear, icon: 'remove', run: () => term?.clear() },
    ],
    own
      ? [
          { label: menuItems.splitRow, icon: 'splitRow', run: () => splitTo('row') },
          { label: menuItems.splitColumn, icon: 'splitColumn', run: () => splitTo('column') },
          ofRouter('picker', menuItems.picker, 'add'),
          ofRouter('sessions', menuItems.sessions, 'terminal'),
          ofRouter('recordings', menuItems.recordings, 'record'),
        ]
      : [],
    [
      ...ofSession('rename', menuItems.rename, 'rename'),
      ...ofSession('share', menuItems.share, 'share'),
      ...(own && session !== null
        ? [{ label: menuItems.files, icon: 'folder', run: () => openFiles(session) } as const]
        : []),
      ...ofSession('commands', menuItems.commands, 'open'),
      ...(own && session !== null
        ? [
            {
              label: strings.closeTab(nameOf(session)),
              icon: 'close',
              keys: 'Alt+Shift+W',
              run: () => closeTab(session.key),
            } as const,
          ]
        : []),
      ...ofSession('end', menuItems.end, 'stopped'),
    ],
    [
      ...(own ? [commandsItem] : []),
      { label: menuItems.settings, icon: 'settings', run: () => (dialog.value = { kind: 'settings' }) },
      { label: menuItems.help, icon: 'keyboard', keys: 'Alt+Shift+H', run: () => (dialog.value = { kind: 'help' }) },
    ],
  ]
}

export function Menu() {
  const ref = useRef<HTMLDivElement>(null)
  return (
    <>
      <button
        type="button"
        id="menu-button"
        class="button quiet icon-only"
        popovertarget="menu"
        aria-label={strings.menu}
        title={strings.menu}
        aria-keyshortcuts="Shift+F10"
      >
        <Icon name="more" />
      </button>
      <div
        id="menu"
        ref={ref}
        class="menu"
        popover="auto"
        onToggle={(event) => {
          if (event.newState === 'open') ref.current?.querySelector<HTMLElement>('button')?.focus()
        }}
        onKeyDown={(event) => walk(event, ref.current)}
      >
        {groups()
          .filter((items) => items.length > 0)
          .map((items, index) => (
            <ul key={index}>
              {items.map((item) => (
                <li key={item.label}>
                  <MenuButton item={item} close={() => ref.current?.hidePopover()} />
                </li>
              ))}
            </ul>
          ))}
        {!guest.value && (
          <ul>
            <li>
              <a class="menu-item" href={routerUrl('dashboard/')}>
                <Icon name="agents" />
                <span>{menuItems.dashboard}</span>
              </a>
            </li>
          </ul>
        )}
      </div>
    </>
  )
}

function MenuButton({ item, close }: { item: Item; close(): void }) {
  return (
    <button
      type="button"
      class={item.danger === true ? 'menu-item danger' : 'menu-item'}
      onClick={() => {
        close()
        item.run()
        focusTerminal()
      }}
    >
      <Icon name={item.icon} />
      <span>{item.label}</span>
      {item.keys !== undefined && <kbd>{item.keys}</kbd>}
    </button>
  )
}

function walk(event: KeyboardEvent, menu: HTMLElement | null): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : null
  if (step === null || menu === null) return
  event.preventDefault()
  const items = [...menu.querySelectorAll<HTMLElement>('.menu-item')]
  const at = items.findIndex((item) => item === document.activeElement)
  items[(at + step + items.length) % items.length]?.focus()
}
