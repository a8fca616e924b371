/** A terminal in the browser: sessions of the router in tabs and panes. */
import { effect } from '@preact/signals'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { onAction as runAction, paletteKey } from './actions.ts'
import { followColours } from './colours.ts'
import { allowTerminalStyles } from './csp-styles.ts'
import { Dialogs } from './dialogs.tsx'
import { fitVisualViewport } from './fit-viewport.ts'
import { KeyBar } from './key-bar.tsx'
import { Notices } from './notice-list.tsx'
import { Pane } from './pane.tsx'
import { askForAgents, Picker } from './picker.tsx'
import {
  focusedSession,
  guest,
  layout,
  nameOf,
  now,
  onAction,
  openTab,
  pageKeyOutside,
  restoreTabs,
  sessions,
} from './store.ts'
import { strings } from './strings.ts'
import { TopBar } from './top-bar.tsx'
import './webtty.css'

const CLOCK_MS = 1000

function Page() {
  useEffect(() => {
    const clock = setInterval(() => {
      if (document.visibilityState === 'visible') now.value = Date.now()
    }, CLOCK_MS)
    return () => clearInterval(clock)
  }, [])
  const { tabs, shown, direction } = layout.value
  return (
    <>
      <TopBar />
      <main class={direction === 'row' ? 'panes' : 'panes stacked'}>
        <h1 class="visually-hidden">{strings.title}</h1>
        {tabs.length === 0 && <StartPage />}
        {shown.map((key) => {
          const session = sessions.value.get(key)
          return session === undefined ? null : <Pane key={key} session={session} />
        })}
      </main>
      {tabs.length > 0 && <KeyBar />}
      <Dialogs />
      <Notices />
    </>
  )
}

function StartPage() {
  return (
    <section class="start" data-region="start" aria-labelledby="picker-title">
      <div class="card start-card">
        <h2 id="picker-title">{strings.picker.title}</h2>
        <p class="muted">{strings.picker.text}</p>
        <Picker />
      </div>
    </section>
  )
}

/** `/webtty/<agent>?session=<id>`, or `?share=<token>`; `/webtty/` alone lets choose. */
function openFromAddress(): void {
  const agent = decodeURIComponent(/\/webtty\/([^/]+)\/?$/.exec(location.pathname)?.[1] ?? '')
  const query = new URLSearchParams(location.search)
  const share = query.get('share')
  const session = query.get('session')
  const command = query.get('command')
  if (agent === '') return askForAgents()
  if (share !== null) {
    guest.value = true
    return openTab({ agent, share })
  }
  if (session !== null && restoreTabs(session)) return
  openTab({ agent, ...(session === null ? {} : { session }), ...(command === null ? {} : { command }) })
}

document.addEventListener('keydown', pageKeyOutside)
document.addEventListener('keydown', paletteKey)
allowTerminalStyles()
followColours()
fitVisualViewport()
onAction(runAction)
effect(() => {
  const session = focusedSession.value
  document.title = strings.pageTitle(session === null ? '' : `${nameOf(session)} (${session.agent})`)
})
const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  openFromAddress()
  render(<Page />, root)
}
