/** The ways between the sections: a column beside the page, a drawer where there is no room for it, a bar under the thumb. */
import { signal } from '@preact/signals'
import { Icon } from '../shared/icons.tsx'
import { Button, Dialog } from '../shared/ui.tsx'
import { hrefOf, route } from './route.ts'
import { strings } from './strings.ts'
import { SECTIONS } from './sections.ts'

const { nav } = strings
const GROUPS = ['use', 'watch', 'manage'] as const
export const menuOpen = signal(false)

export function SideNav() {
  return (
    <nav class="side-nav no-print" aria-label={nav.label}>
      <Sections prefix="side" />
    </nav>
  )
}

function Sections({ prefix, onPick }: { prefix: string; onPick?: () => void }) {
  return GROUPS.map((group) => (
    <div key={group} class="nav-group">
      <h2 id={`${prefix}-${group}`} class="nav-title">
        {nav.groups[group]}
      </h2>
      <ul aria-labelledby={`${prefix}-${group}`}>
        {SECTIONS.filter((view) => view.group === group).map((view) => (
          <li key={view.id}>
            <NavLink view={view} onPick={onPick} />
          </li>
        ))}
      </ul>
    </div>
  ))
}

function NavLink({ view, onPick }: { view: (typeof SECTIONS)[number]; onPick?: (() => void) | undefined }) {
  return (
    <a
      class="nav-link"
      href={hrefOf(view.id)}
      aria-current={route.value.view === view.id ? 'page' : undefined}
      onClick={onPick}
    >
      <Icon name={view.icon} />
      <span>{strings.views[view.id]}</span>
    </a>
  )
}

export function MenuButton() {
  return (
    <Button
      iconOnly
      kind="quiet"
      icon="menu"
      label={nav.open}
      onClick={() => {
        menuOpen.value = true
      }}
    />
  )
}

export function NavDrawer() {
  if (!menuOpen.value) return null
  const close = (): void => {
    menuOpen.value = false
  }
  return (
    <Dialog class="nav-drawer" labelledBy="menu-title" onClose={close}>
      <div class="drawer-head">
        <h2 id="menu-title">{nav.label}</h2>
        <Button iconOnly kind="quiet" icon="close" label={nav.close} onClick={close} />
      </div>
      <nav aria-labelledby="menu-title">
        <Sections prefix="menu" onPick={close} />
      </nav>
    </Dialog>
  )
}

export function BottomBar() {
  return (
    <nav class="bottom-bar no-print" aria-label={nav.bar}>
      <ul>
        {SECTIONS.filter((view) => 'inBar' in view).map((view) => (
          <li key={view.id}>
            <NavLink view={view} />
          </li>
        ))}
        <li>
          <button
            type="button"
            class="nav-link"
            onClick={() => {
              menuOpen.value = true
            }}
          >
            <Icon name="menu" />
            <span>{nav.more}</span>
          </button>
        </li>
      </ul>
    </nav>
  )
}
