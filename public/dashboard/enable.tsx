/** Before an agent is enabled: what it gets in plain words, the consent to what runs on this machine, the values it needs. */
import { useState } from 'preact/hooks'
import { asRecord, call, textOr } from '../shared/api.ts'
import type { ApiError } from '../shared/api.ts'
import { shellWord } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button, Command, Dialog } from '../shared/ui.tsx'
import { useLoad } from './do.ts'
import { TextField } from './field.tsx'
import { Pane } from './pane.tsx'
import type { Permissions } from './permissions.ts'
import { iconOf, readPermissions, toneOf } from './permissions.ts'
import { ProblemNote } from './problem.tsx'
import { hrefOf } from './route.ts'
import { asApiError, notify, refresh } from './store.ts'
import { strings } from './strings.ts'
import { words } from './views/catalog-strings.ts'

export interface EnableProps {
  /** `repo/agent`, or the name of an enabled agent. */
  readonly reference: string
  /** Asks before a start alone: it is enabled already. */
  readonly isEnabled: boolean
  onClose(): void
}

export function EnableDialog({ reference, isEnabled, onClose }: EnableProps) {
  const loaded = useLoad(
    `api/v1/agents/${encodeURIComponent(reference.replace('/', ':'))}/permissions`,
    readPermissions,
  )
  return (
    <Dialog class="wide" labelledBy="enable-title" onClose={onClose}>
      <div class="dialog-body">
        <h2 id="enable-title">{isEnabled ? words.startTitle(reference) : words.title(reference)}</h2>
        <Pane of={loaded}>{(permissions) => <Decide {...{ permissions, reference, isEnabled, onClose }} />}</Pane>
        {loaded.data === null && (
          <div class="dialog-actions">
            <Button label={strings.cancel} onClick={onClose} />
          </div>
        )}
      </div>
    </Dialog>
  )
}

export function PermissionList({ permissions }: { permissions: Permissions }) {
  return (
    <ul class="permissions" aria-label={words.gets} tabIndex={0}>
      {permissions.lines.map((line, index) => (
        <li key={index} class={`tone-${toneOf(line)} level-${line.level}`}>
          <Icon name={iconOf(line)} />
          <div>
            {line.level !== 'plain' && <span class="visually-hidden">{words.levels[line.level]}: </span>}
            {line.text} <span class="muted small">{words.from(line.from)}</span>
          </div>
        </li>
      ))}
    </ul>
  )
}

function Decide({ permissions, reference, isEnabled, onClose }: EnableProps & { permissions: Permissions }) {
  const [allowed, setAllowed] = useState(false)
  const [doing, setDoing] = useState<string | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [asName, setName] = useState('')
  const { consent, missing } = permissions
  const name = asName.trim() === '' ? permissions.agent : asName.trim()

  async function go(withStart: boolean): Promise<void> {
    setProblem(null)
    try {
      if (consent !== null && allowed) {
        setDoing(words.allowing)
        await call('POST', `api/v1/agents/${encodeURIComponent(reference.replace('/', ':'))}/allow`, {
          digest: consent.digest,
        })
      }
      let agent = isEnabled ? reference : name
      if (!isEnabled) {
        setDoing(words.enabling)
        const body = { agent: reference, ...(name === permissions.agent ? {} : { as: name }) }
        agent = textOr(asRecord(await call('POST', 'api/v1/agents', body))['agent'], name)
        notify({
          tone: 'ok',
          title: words.enabled(agent),
          text: null,
          code: null,
          command: enableLine(reference, name, permissions.agent),
        })
      }
      if (withStart) {
        setDoing(words.starting)
        await call('POST', `api/v1/agents/${encodeURIComponent(agent)}/start`)
        notify({
          tone: 'ok',
          title: strings.done('start', agent),
          text: null,
          code: null,
          command: `ploinky start ${shellWord(agent)}`,
        })
      }
      onClose()
    } catch (error) {
      setProblem(asApiError(error))
    } finally {
      setDoing(null)
      void refresh()
    }
  }

  const waits = consent !== null && !allowed
  return (
    <>
      <p>{words.intro}</p>
      <PermissionList permissions={permissions} />
      {permissions.warnings.map((warning) => (
        <p key={warning} class="callout tone-warn">
          <Icon name="warning" />
          <span>{warning}</span>
        </p>
      ))}
      {missing.length > 0 && <MissingValues names={missing} onClose={onClose} />}
      {consent !== null && (
        <label class="check consent tone-bad">
          <input
            type="checkbox"
            checked={allowed}
            onChange={({ currentTarget }) => setAllowed(currentTarget.checked)}
          />
          <span>{words.consent}</span>
        </label>
      )}
      {!isEnabled && <TextField label={words.name} placeholder={permissions.agent} value={asName} onChange={setName} />}
      <div>
        <p class="muted small">{strings.sameAs}</p>
        <Command
          text={isEnabled ? `ploinky start ${shellWord(reference)}` : enableLine(reference, name, permissions.agent)}
        />
      </div>
      <div role="alert">{problem !== null && <ProblemNote problem={problem} />}</div>
      <DecideButtons
        {...{ isEnabled, doing, waits, onClose }}
        onEnable={() => void go(false)}
        onStart={() => void (waits ? setProblem(asApiError(new Error(words.consentFirst))) : go(true))}
      />
    </>
  )
}

function MissingValues({ names, onClose }: { names: readonly string[]; onClose(): void }) {
  return (
    <div class="callout tone-warn">
      <Icon name="variables" />
      <div class="callout-body">
        <p>{words.missing(names.join(', '))}</p>
        <a href={hrefOf('variables', null, { set: names[0] ?? '' })} onClick={onClose}>
          {words.setValues}
        </a>
      </div>
    </div>
  )
}

interface DecideButtonsProps {
  readonly isEnabled: boolean
  readonly doing: string | null
  /** Consent is not given yet. */
  readonly waits: boolean
  onEnable(): void
  onStart(): void
  onClose(): void
}

function DecideButtons({ isEnabled, doing, waits, onEnable, onStart, onClose }: DecideButtonsProps) {
  const busy = doing !== null
  return (
    <div class="dialog-actions">
      <span class="muted small doing" role="status">
        {doing}
      </span>
      <Button label={strings.cancel} onClick={onClose} />
      {!isEnabled && <Button label={words.enableOnly} busy={busy} onClick={onEnable} />}
      <Button
        kind="primary"
        icon="start"
        label={isEnabled ? words.start : words.enableAndStart}
        {...(waits ? { title: words.consentFirst } : {})}
        busy={busy}
        onClick={onStart}
      />
    </div>
  )
}

const enableLine = (reference: string, name: string, usual: string): string =>
  `ploinky enable agent ${shellWord(reference)}${name === usual ? '' : ` as ${shellWord(name)}`}`
