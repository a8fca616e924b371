/** What every view needs around its data: waiting, what went wrong with a way on, and what to do where there is nothing. */
import type { ComponentChildren } from 'preact'
import { Button, Command } from '../shared/ui.tsx'
import type { Loaded } from './do.ts'
import { Loading } from './loading.tsx'
import { ProblemNote } from './problem.tsx'
import { strings } from './strings.ts'

/** Data that is there stays in sight when reading it again fails. */
export function Pane<Data>({ of, children }: { of: Loaded<Data>; children: (data: Data) => ComponentChildren }) {
  const { data, problem, reload } = of
  return (
    <>
      {problem !== null && (
        <div class="load-problem" role="alert">
          <ProblemNote problem={problem} />
          <Button icon="restart" label={strings.retry} onClick={() => void reload()} />
        </div>
      )}
      {data === null ? problem === null && <Loading label={strings.loadingView} /> : children(data)}
    </>
  )
}

export interface NothingProps {
  readonly title: string
  readonly text: string
  readonly commands?: readonly string[]
  readonly children?: ComponentChildren
}

export function Nothing({ title, text, commands = [], children }: NothingProps) {
  return (
    <div class="card empty">
      <h2>{title}</h2>
      <p class="muted">{text}</p>
      {commands.map((command) => (
        <Command key={command} text={command} />
      ))}
      {children}
    </div>
  )
}

/** A part of a view with a heading of its own. */
export function Section(props: {
  id: string
  title: string
  note?: string
  tools?: ComponentChildren
  children: ComponentChildren
}) {
  const { id, title, note, tools, children } = props
  return (
    <section class="card panel section" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {tools !== undefined && <div class="view-tools">{tools}</div>}
      </div>
      {note !== undefined && <p class="muted small note">{note}</p>}
      {children}
    </section>
  )
}
