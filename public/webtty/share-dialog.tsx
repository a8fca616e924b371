/** Makes a link to one session, with what people may do there and until when. */
import { useState } from 'preact/hooks'
import { fullTime } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button, CopyButton } from '../shared/ui.tsx'
import type { SharedLink } from './api.ts'
import { shareSession } from './api.ts'
import { Frame } from './dialogs-frame.tsx'
import { problemOf } from './problem.ts'
import { ProblemNote } from './problem-panel.tsx'
import type { Problem, TtySession } from './session.ts'
import { closeDialog, nameOf } from './store.ts'
import { strings } from './strings.ts'

const { share } = strings
const ROLES = ['viewer', 'editor'] as const
const MINUTES = [15, 60, 8 * 60, 24 * 60, 7 * 24 * 60] as const

export function ShareDialog({ session }: { session: TtySession }) {
  const [role, setRole] = useState<(typeof ROLES)[number]>('viewer')
  const [minutes, setMinutes] = useState<number>(60)
  const [link, setLink] = useState<SharedLink | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  async function make(): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      setLink(await shareSession(session.id.value ?? '', role, minutes))
    } catch (error) {
      setProblem(problemOf(error))
    } finally {
      setBusy(false)
    }
  }
  const actions = (
    <>
      <Button label={link === null ? strings.cancel : strings.close} onClick={closeDialog} />
      {link === null && (
        <Button kind="primary" icon="share" label={share.make} busy={busy} onClick={() => void make()} />
      )}
    </>
  )
  return (
    <Frame title={share.title(nameOf(session))} text={share.text} actions={actions}>
      {problem !== null && <ProblemNote problem={problem} />}
      {link === null ? (
        <>
          <fieldset class="options">
            <legend>{share.role}</legend>
            {ROLES.map((one) => (
              <label key={one}>
                <input type="radio" name="role" checked={role === one} onChange={() => setRole(one)} />
                <span>{share.roles[one]}</span>
              </label>
            ))}
          </fieldset>
          {role === 'editor' && (
            <p class="callout tone-warn">
              <Icon name="warning" />
              <span>{share.warn}</span>
            </p>
          )}
          <label class="stack">
            <span>{share.expires}</span>
            <select class="field" value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
              {MINUTES.map((one) => (
                <option key={one} value={one}>
                  {share.hours(one / 60)}
                </option>
              ))}
            </select>
          </label>
        </>
      ) : (
        <NewLink link={link} />
      )}
    </Frame>
  )
}

function NewLink({ link }: { link: SharedLink }) {
  return (
    <div class="stack">
      <label for="share-link">{share.link}</label>
      <span class="copy-field">
        <input
          id="share-link"
          class="field"
          type="text"
          readOnly
          value={link.address}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton text={link.address} name={share.copy} />
      </span>
      <p class="muted small">{share.until(fullTime(link.expiresAt))}</p>
    </div>
  )
}
