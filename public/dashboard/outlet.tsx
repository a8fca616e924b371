/** Where the chosen view is shown: loaded on its first visit, and kept from taking the rest of the page with it when it breaks. */
import { effect, signal } from '@preact/signals'
import { Component } from 'preact'
import type { ComponentChildren, ComponentType } from 'preact'
import { loadAgain } from '../shared/load-again.ts'
import { Button } from '../shared/ui.tsx'
import { ViewHead } from './head.tsx'
import { Loading } from './loading.tsx'
import { ProblemNote } from './problem.tsx'
import { HOME, hrefOf, route } from './route.ts'
import { strings } from './strings.ts'
import { sectionOf } from './sections.ts'
import type { ViewProps } from './view.ts'
import { FIRST, LOADERS } from './views.ts'

type Loaded = ComponentType<ViewProps> | 'failed'
const loaded = signal<ReadonlyMap<string, Loaded>>(new Map<string, Loaded>([[FIRST.id, FIRST.View]]))

function keep(id: string, what: Loaded): void {
  loaded.value = new Map(loaded.value).set(id, what)
}

async function load(id: keyof typeof LOADERS): Promise<void> {
  try {
    keep(id, (await LOADERS[id]()).View)
  } catch {
    if (!loadAgain()) keep(id, 'failed')
  }
}

/** Loads each section as soon as the address names it. Called once, before the first drawing: that would only keep it waiting. */
export function followSections(): void {
  effect(() => {
    const id = sectionOf(route.value.view)?.id
    if (id !== undefined && id !== FIRST.id && !loaded.peek().has(id)) void load(id)
  })
}

export function Outlet() {
  const { view, param, query } = route.value
  const entry = sectionOf(view)
  const found = entry === undefined ? undefined : loaded.value.get(entry.id)
  if (entry === undefined) return <NoSuchView />
  if (found === undefined) return <Loading label={strings.loadingView} />
  const title = strings.views[entry.id]
  if (found === 'failed') return <NotLoaded title={title} />
  const View = found
  return (
    <Guard key={`${view}/${param ?? ''}`} title={title}>
      <View param={param} query={query} />
    </Guard>
  )
}

function NoSuchView() {
  return (
    <>
      <ViewHead title={strings.noView.title} />
      <p class="muted">{strings.noView.text}</p>
      <p>
        <a class="button primary" href={hrefOf(HOME)}>
          {strings.noView.home}
        </a>
      </p>
    </>
  )
}

/** The usual cause is a router that was updated while the page was open: its files have other names now. */
function NotLoaded({ title }: { title: string }) {
  return (
    <>
      <ViewHead title={title} />
      <div class="load-problem" role="alert">
        <ProblemNote problem={{ code: 'VIEW_NOT_LOADED', message: strings.notLoaded.text, hint: null }} />
        <Button icon="restart" kind="primary" label={strings.notLoaded.reload} onClick={() => location.reload()} />
      </div>
    </>
  )
}

class Guard extends Component<{ title: string; children: ComponentChildren }, { message: string | null }> {
  override state = { message: null }
  static override getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) }
  }
  override render() {
    const { message } = this.state
    if (message === null) return this.props.children
    return (
      <>
        <ViewHead title={this.props.title} />
        <div class="load-problem" role="alert">
          <ProblemNote problem={{ code: 'INTERNAL', message: strings.broken(message), hint: null }} />
          <Button icon="restart" label={strings.retry} onClick={() => this.setState({ message: null })} />
        </div>
      </>
    )
  }
}
