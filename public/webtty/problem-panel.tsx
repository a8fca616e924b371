/** Why there is no terminal, with the code and what to do about it. */
import { useState } from 'preact/hooks'
import { goToSignIn } from '../shared/api.ts'
import { plainText } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button, Command } from '../shared/ui.tsx'
import { startAgent } from './api.ts'
import { commandIn, problemOf } from './problem.ts'
import type { FinalReason } from './reconnect.ts'
import type { Problem, TtySession } from './session.ts'
import { dialog, guest } from './store.ts'
import { strings } from './strings.ts'

export function ProblemPanel({ session }: { session: TtySession }) {
  const state = session.connection.value
  if (state.kind !== 'closed') return null
  const { reason } = state
  const problem = session.problem.value
  const hint = problem?.hint ?? null
  const command = hint === null ? null : commandIn(hint)
  return (
    <div class="problem-panel">
      <div class="card problem-card" role="alert">
        <h2>
          <Icon name="warning" /> <span>{problem?.message ?? strings.closed(reason)}</span>
        </h2>
        {problem !== null && <code class="small muted">{problem.code}</code>}
        <p>{hint !== null && command === null ? plainText(hint) : strings.nextStep(reason)}</p>
        {command !== null && !guest.value && <Command text={command} />}
        <div class="dialog-actions">
          {!guest.value && <WaysOut session={session} reason={reason} />}
          <LastWay session={session} reason={reason} />
        </div>
      </div>
    </div>
  )
}

interface WayProps {
  readonly session: TtySession
  readonly reason: FinalReason
}

/** What somebody who is signed in can do besides trying again. */
function WaysOut({ session, reason }: WayProps) {
  return (
    <>
      {reason === 'signedOut' && <Button label={strings.toSignIn} onClick={goToSignIn} />}
      {reason === 'tooMany' && (
        <Button label={strings.menuItems.sessions} onClick={() => (dialog.value = { kind: 'sessions' })} />
      )}
      {session.problem.value?.code === 'AGENT_NOT_FOUND' && (
        <Button label={strings.menuItems.picker} onClick={() => (dialog.value = { kind: 'picker' })} />
      )}
      {session.problem.value?.code === 'AGENT_NOT_RUNNING' && <StartButton session={session} />}
    </>
  )
}

function LastWay({ session, reason }: WayProps) {
  if (reason === 'invalid' || reason === 'incomplete')
    return <Button label={strings.reload} onClick={() => location.reload()} />
  const isGone = (reason === 'notFound' || reason === 'ended') && session.id.value !== null
  if (isGone && !guest.value) {
    return <Button kind="primary" icon="add" label={strings.startNew} onClick={session.restart} />
  }
  return <Button icon="restart" label={strings.retry} onClick={session.again} />
}

function StartButton({ session }: { session: TtySession }) {
  const agent = plainText(session.agent)
  const [busy, setBusy] = useState(false)
  async function start(): Promise<void> {
    setBusy(true)
    try {
      await startAgent(session.agent)
      session.again()
    } catch (error) {
      session.problem.value = problemOf(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button
      kind="primary"
      icon="start"
      label={busy ? strings.starting(agent) : strings.startAgent(agent)}
      busy={busy}
      onClick={() => void start()}
    />
  )
}

/** The same, in a dialog. */
export function ProblemNote({ problem }: { problem: Problem }) {
  return (
    <div class="callout tone-bad" role="alert">
      <Icon name="warning" />
      <div class="callout-body">
        <p>
          <strong>{problem.message}</strong> <code class="small">{problem.code}</code>
        </p>
        {problem.hint !== null && <p>{plainText(problem.hint)}</p>}
      </div>
    </div>
  )
}
