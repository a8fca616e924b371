/** All sessions of the router that this person may see: to join, to name, to end. */
import { useState } from 'preact/hooks'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import { duration, secondsSince } from '../shared/format.ts'
import { Button } from '../shared/ui.tsx'
import { endSession, listSessions, renameSession } from './api.ts'
import { Frame } from './dialogs-frame.tsx'
import { NameField } from './name-field.tsx'
import { notifyFailure } from './notices.ts'
import { ProblemNote } from './problem-panel.tsx'
import { closeDialog, labelOf, now, openTab, sessions } from './store.ts'
import { strings } from './strings.ts'
import { useLoaded } from './use-loaded.ts'

const words = strings.sessions

/** What is being done with which one. */
type Doing = { readonly kind: 'rename' | 'end'; readonly view: TtyView } | null

export function SessionsDialog() {
  const { data, problem, reload } = useLoaded(listSessions)
  const [doing, setDoing] = useState<Doing>(null)
  const run = async (work: Promise<unknown>, what: string): Promise<void> => {
    try {
      await work
    } catch (error) {
      notifyFailure(error, what)
    }
    setDoing(null)
    reload()
  }
  return (
    <Frame wide title={words.title} text={words.text}>
      {problem !== null && <ProblemNote problem={problem} />}
      {data === null && problem === null && <p role="status">{words.loading}</p>}
      {data?.length === 0 && <p>{words.empty}</p>}
      {data !== null && data.length > 0 && (
        <ul class="rows">
          {data.map((view) => (
            <li key={view.id} class="row" data-row={view.id}>
              {doing?.view.id === view.id ? (
                <Change doing={doing} cancel={() => setDoing(null)} run={run} />
              ) : (
                <Row view={view} choose={(kind) => setDoing({ kind, view })} />
              )}
            </li>
          ))}
        </ul>
      )}
    </Frame>
  )
}

function Row({ view, choose }: { view: TtyView; choose(kind: 'rename' | 'end'): void }) {
  const label = labelOf(view, view.agent)
  const isHere = [...sessions.value.values()].some(({ id }) => id.value === view.id)
  const seconds = secondsSince(view.startedAt, now.value)
  const join = (): void => {
    closeDialog()
    openTab({ agent: view.agent, session: view.id })
  }
  return (
    <>
      <div class="stack row-text">
        <span class="row-name">{label}</span>
        <span class="muted small">
          {[
            view.agent,
            view.command,
            words.people(view.peers.length),
            ...(seconds === null ? [] : [words.since(duration(seconds))]),
          ].join(' · ')}
        </span>
      </div>
      <div class="row-buttons">
        <Button
          kind="primary"
          label={isHere ? words.here : words.join}
          name={isHere ? words.showOf(label) : words.joinOf(label)}
          onClick={join}
        />
        <Button iconOnly kind="quiet" icon="rename" label={words.renameOf(label)} onClick={() => choose('rename')} />
        <Button iconOnly kind="quiet" icon="stopped" label={words.endOf(label)} onClick={() => choose('end')} />
      </div>
    </>
  )
}

interface ChangeProps {
  readonly doing: NonNullable<Doing>
  cancel(): void
  run(work: Promise<unknown>, what: string): Promise<void>
}

function Change({ doing: { kind, view }, cancel, run }: ChangeProps) {
  const [name, setName] = useState(view.name)
  const label = labelOf(view, view.agent)
  const rename = (): void => void run(renameSession(view.id, name.trim()), words.renameOf(label).toLowerCase())
  return (
    <>
      {kind === 'rename' ? (
        <NameField name={name} onInput={setName} onEnter={rename} />
      ) : (
        <p class="row-text">
          <strong>{strings.end.title(label)}</strong> {strings.end.text}
        </p>
      )}
      <div class="row-buttons">
        <Button label={strings.cancel} first={kind === 'end'} onClick={cancel} />
        {kind === 'rename' ? (
          <Button kind="primary" label={words.save} onClick={rename} />
        ) : (
          <Button
            kind="danger"
            icon="stopped"
            label={strings.end.go}
            name={words.endOf(label)}
            onClick={() => void run(endSession(view.id), words.endOf(label).toLowerCase())}
          />
        )}
      </div>
    </>
  )
}
