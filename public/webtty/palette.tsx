/** The palette of commands over the terminals: loaded when it is asked for, beside the page's own tree. */
import { render } from 'preact'
import { SECTIONS } from '../dashboard/sections.ts'
import { strings as dashboard } from '../dashboard/strings.ts'
import { routerUrl } from '../shared/api.ts'
import { Palette } from '../shared/palette.tsx'
import type { Destination } from '../shared/palette.tsx'
import { plainText } from '../shared/format.ts'
import { listAgents } from './api.ts'
import { notify } from './notices.ts'
import { focusTerminal, openTab } from './store.ts'
import { strings } from './strings.ts'

let host: HTMLElement | null = null

export async function openPalette(): Promise<void> {
  if (host !== null) return
  const mine = document.createElement('div')
  host = mine
  // Keys that are typed here are not the page's.
  mine.addEventListener('keydown', (event) => event.stopPropagation())
  document.body.append(mine)
  const close = (): void => {
    if (host !== mine) return
    host = null
    render(null, mine)
    mine.remove()
    focusTerminal()
  }
  const show = (agents: readonly string[]): void => {
    if (host !== mine) return
    const onDone = ({ title, command }: { title: string; command: string }): void =>
      void notify({ tone: 'ok', title, text: command })
    render(<Palette destinations={waysTo(agents)} names={{ agents }} onClose={close} onDone={onDone} />, mine)
  }
  show([])
  // Without them everything else still works.
  const agents = await listAgents().catch(() => [])
  show(agents.map(({ name }) => name))
}

const waysTo = (agents: readonly string[]): Destination[] => [
  ...agents.map((agent) => ({
    ...{ label: plainText(agent), hint: strings.title, icon: 'terminal' as const },
    go: () => openTab({ agent }),
  })),
  ...SECTIONS.map(({ id, icon }) => ({
    ...{ label: dashboard.views[id], hint: strings.menuItems.dashboard, icon },
    go: () => location.assign(routerUrl(`dashboard/#/${id}`)),
  })),
]
