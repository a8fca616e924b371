/** The dashboard's frame: head, ways between sections, the chosen section, and what belongs to all of them. */
import { effect } from '@preact/signals'
import { render } from 'preact'
import { useRef } from 'preact/hooks'
import { plainText } from '../shared/format.ts'
import { Button } from '../shared/ui.tsx'
import './dashboard.css'
import { ConfirmDialog } from './ask.tsx'
import { FilesHost } from './files-host.tsx'
import { Header } from './frame.tsx'
import { BottomBar, NavDrawer, SideNav } from './nav.tsx'
import { NotificationsDrawer, Notices } from './notifications.tsx'
import { followSections, Outlet } from './outlet.tsx'
import { PaletteHost } from './palette-button.tsx'
import { ProblemNote } from './problem.tsx'
import { followAddress, route } from './route.ts'
import { loadProblem, refresh, startPage, status } from './store.ts'
import { strings } from './strings.ts'
import { sectionOf } from './sections.ts'

function Page() {
  const main = useRef<HTMLElement>(null)
  return (
    <>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          // The address says which section is open, so it is left alone.
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {strings.skip}
      </a>
      <Header workspace={status.value?.workspace.name ?? ''} />
      <div class="frame">
        <SideNav />
        <main id="main" ref={main} tabIndex={-1}>
          <LoadProblem />
          <Outlet />
        </main>
      </div>
      <BottomBar />
      <NavDrawer />
      <ConfirmDialog />
      <NotificationsDrawer />
      <PaletteHost />
      <FilesHost />
      <Notices />
    </>
  )
}

function LoadProblem() {
  const problem = loadProblem.value
  if (problem === null) return null
  return (
    <div class="load-problem" role="alert">
      <ProblemNote
        problem={{ code: problem.code, hint: problem.hint, message: `${strings.loadFailed}: ${problem.message}` }}
      />
      <Button icon="restart" label={strings.retry} onClick={() => void refresh()} />
    </div>
  )
}

effect(() => {
  const { view, param } = route.value
  const entry = sectionOf(view)
  const section = entry === undefined ? strings.noView.title : strings.views[entry.id]
  document.title = strings.pageTitle([param ?? '', section, status.value?.workspace.name ?? ''].map(plainText))
})
const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  followAddress()
  // Asked for first, so that the answers are on their way while the frame is drawn.
  followSections()
  startPage()
  render(<Page />, root)
}
