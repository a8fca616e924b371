/** Settings with where they come from, and the health check. */
import { useId, useState } from 'preact/hooks'
import { asRecord, call, listOf, textOr, textOrNull } from '../../shared/api.ts'
import type { ApiError } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText, shellWord } from '../../shared/format.ts'
import type { Tone } from '../../shared/ui.tsx'
import { Badge, Button, Command, Dialog } from '../../shared/ui.tsx'
import { perform, useLoad } from '../do.ts'
import { ViewHead } from '../head.tsx'
import { commandIn } from '../model.ts'
import { Pane, Section } from '../pane.tsx'
import { ProblemNote } from '../problem.tsx'
import { asApiError } from '../store.ts'
import { strings } from '../strings.ts'
import { words as all } from './manage-strings.ts'

const words = all.settings
const clean = (value: unknown): string => plainText(textOr(value, ''))

interface Setting {
  readonly name: string
  readonly value: string
  readonly from: string
  readonly summary: string
}

const readSettings = (body: unknown): Setting[] =>
  listOf(body).map((item) => {
    const { name, value, from, summary } = asRecord(item)
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : clean(value)
    return { name: clean(name), value: text, from: clean(from), summary: clean(summary) }
  })

export function View() {
  const loaded = useLoad('api/v1/settings', readSettings)
  const [changing, setChanging] = useState<Setting | null>(null)
  return (
    <>
      <ViewHead title={strings.views.settings} />
      <Section id="settings-title" title={words.title} note={words.note}>
        <Pane of={loaded}>
          {(rows) => (
            <DataTable<Setting>
              label={words.title}
              rows={rows}
              keyOf={({ name }) => name}
              columns={[
                {
                  label: words.name,
                  isHead: true,
                  show: ({ name, summary }) => (
                    <>
                      <code>{name}</code>
                      <p class="muted small about">{summary}</p>
                    </>
                  ),
                },
                {
                  label: words.value,
                  show: ({ value }) => (value === '' ? <span class="muted">{words.none}</span> : <code>{value}</code>),
                },
                { label: words.from, show: ({ from }) => <span class="muted">{from}</span> },
                {
                  label: all.actions,
                  isActions: true,
                  show: (setting) => (
                    <div>
                      <Button
                        label={words.change}
                        name={words.changeOf(setting.name)}
                        onClick={() => setChanging(setting)}
                      />
                    </div>
                  ),
                },
              ]}
            />
          )}
        </Pane>
      </Section>
      <Doctor />
      {changing !== null && <ChangeDialog setting={changing} onClose={() => setChanging(null)} />}
    </>
  )
}

function ChangeDialog({ setting, onClose }: { setting: Setting; onClose(): void }) {
  const { name, summary } = setting
  const [value, setValue] = useState(setting.value)
  const id = useId()
  const save = async (unset: boolean): Promise<void> => {
    const done = await perform({
      ...{ method: 'PUT', path: `api/v1/settings/${encodeURIComponent(name)}` },
      body: unset ? { unset: true } : { value },
      done: `${words.saved(name)}. ${words.restart}`,
      failed: words.notSaved(name),
      command: `ploinky config ${name} ${unset ? '--unset' : shellWord(value)}`,
    })
    if (done !== null) onClose()
  }
  return (
    <Dialog labelledBy="change-title" onClose={onClose}>
      <form
        class="dialog-body"
        onSubmit={(event) => {
          event.preventDefault()
          void save(false)
        }}
      >
        <h2 id="change-title">{words.changeOf(name)}</h2>
        <div class="form-row">
          <label for={id}>{words.value}</label>
          <input
            id={id}
            class="field"
            autoFocus
            autoComplete="off"
            spellcheck={false}
            aria-describedby={`${id}-help`}
            value={value}
            onInput={({ currentTarget }) => setValue(currentTarget.value)}
          />
          <p id={`${id}-help`} class="muted small">
            {summary}
          </p>
        </div>
        <Command text={`ploinky config ${name} ${shellWord(value)}`} />
        <div class="dialog-actions">
          <Button label={strings.cancel} onClick={onClose} />
          <Button label={words.reset} onClick={() => void save(true)} />
          <button type="submit" class="button primary">
            {words.save}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface Check {
  readonly check: string
  readonly result: string
  readonly detail: string
  readonly hint: string | null
}

const readChecks = (body: unknown): Check[] =>
  listOf(body).map((item) => {
    const { check, result, detail, hint } = asRecord(item)
    return {
      check: clean(check),
      result: clean(result),
      detail: clean(detail),
      hint: textOrNull(hint) === null ? null : clean(hint),
    }
  })

const TONES: Record<string, Tone> = { ok: 'ok', warning: 'warn', failed: 'bad' }

function Doctor() {
  const [checks, setChecks] = useState<readonly Check[] | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    setBusy(true)
    setProblem(null)
    try {
      setChecks(readChecks(await call('GET', 'api/v1/doctor')))
    } catch (error) {
      setProblem(asApiError(error))
    }
    setBusy(false)
  }
  return (
    <Section
      id="doctor-title"
      title={words.doctor}
      note={words.doctorNote}
      tools={
        <Button
          icon="restart"
          label={checks === null ? words.run : words.again}
          busy={busy}
          onClick={() => void run()}
        />
      }
    >
      <div role="alert">{problem !== null && <ProblemNote problem={problem} />}</div>
      <ul class="checks" role="list" aria-live="polite">
        {(checks ?? []).map((check, index) => (
          <li key={index}>
            <Badge tone={TONES[check.result] ?? 'warn'}>{words.results[check.result] ?? check.result}</Badge>
            <div>
              <strong>{check.check}</strong> {check.detail}
              {check.hint !== null && <Hint text={check.hint} />}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Hint({ text }: { text: string }) {
  const command = commandIn(text)
  return command === null ? <p class="muted small">{text}</p> : <Command text={command} />
}
