/** One command of the palette: its fields, the same line for a terminal, the question before it destroys, its result. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call } from './api.ts'
import { CommandFields, finished } from './command-form.tsx'
import type { CommandEntry, Values } from './command-model.ts'
import { lineOf, missingParam, requestOf } from './command-model.ts'
import { Value } from './data.tsx'
import { Icon } from './icons.tsx'
import { strings } from './strings.ts'
import { Button, Command } from './ui.tsx'

const words = strings.palette

export interface PaletteHost {
  /** Names that a param may take, by its `complete`: agents, catalog, repos, settings. */
  readonly names: Readonly<Record<string, readonly string[]>>
  /** Told after a command was carried out. */
  onDone(told: { readonly title: string; readonly command: string }): void
}

type Step =
  | { readonly kind: 'fill' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'run' }
  | { readonly kind: 'done'; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly problem: ApiError }

interface RunnerProps {
  readonly command: CommandEntry
  readonly host: PaletteHost
  onBack(): void
  onClose(): void
}

export function CommandRunner({ command, host, onBack, onClose }: RunnerProps) {
  const [values, setValues] = useState<Values>({})
  const [step, setStep] = useState<Step>({ kind: 'fill' })
  const [complaint, setComplaint] = useState<string | null>(null)
  const form = useRef<HTMLFormElement>(null)
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (step.kind === 'run' || step.kind === 'failed') return
    // What comes next has the focus: a field, the way out of a question, the end. Without any, the heading says where one is.
    const next =
      step.kind === 'fill' ? '.form input, .form select' : step.kind === 'ask' ? '.button.calm' : '.button.primary'
    const element = form.current?.querySelector<HTMLElement>(next) ?? title.current
    element?.focus()
  }, [step.kind])
  const ready = finished(command, values)
  const line = lineOf(command, ready)

  async function run(): Promise<void> {
    setStep({ kind: 'run' })
    try {
      const { method, path, body } = requestOf(command, ready)
      const answer = await call(method, path, body)
      setStep({ kind: 'done', answer })
      if (method !== 'GET') host.onDone({ title: words.done(command.name), command: line })
    } catch (error) {
      const problem = error instanceof ApiError ? error : new ApiError(String(error), { code: 'INTERNAL', status: 0 })
      setStep({ kind: 'failed', problem })
    }
  }

  function submit(event: Event): void {
    event.preventDefault()
    const missing = missingParam(command, ready)
    if (missing !== null) return setComplaint(words.missing(missing.name))
    setComplaint(null)
    if (command.destructive && step.kind !== 'ask') setStep({ kind: 'ask' })
    else void run()
  }

  const isFilling = step.kind === 'fill' || step.kind === 'failed'
  return (
    <form class="palette-run" noValidate ref={form} onSubmit={submit}>
      <div class="palette-head">
        <Button iconOnly kind="quiet" icon="back" label={words.back} onClick={onBack} />
        <h3 ref={title} tabIndex={-1}>
          {command.name}
        </h3>
        <Button iconOnly kind="quiet" icon="close" label={words.close} onClick={onClose} />
      </div>
      <div class="palette-body">
        <p class="muted">{command.summary}</p>
        {command.http === null && <p>{words.terminalOnly}</p>}
        {isFilling && command.http !== null && (
          <CommandFields command={command} values={values} names={host.names} onChange={setValues} />
        )}
        <Outcome step={step} />
        {complaint !== null && (
          <p class="callout tone-bad" role="alert">
            {complaint}
          </p>
        )}
        {step.kind === 'ask' && <p role="alert">{words.sure}</p>}
        <div>
          <p class="muted small">{strings.sameAs}</p>
          <Command text={line} />
        </div>
      </div>
      {command.http !== null && <Buttons step={step} onBack={() => setStep({ kind: 'fill' })} onClose={onClose} />}
    </form>
  )
}

function Buttons({ step, onBack, onClose }: { step: Step; onBack(): void; onClose(): void }) {
  if (step.kind === 'done') {
    return (
      <div class="dialog-actions palette-actions">
        <Button label={words.again} onClick={onBack} />
        <Button kind="primary" label={words.close} onClick={onClose} />
      </div>
    )
  }
  const isBusy = step.kind === 'run'
  return (
    <div class="dialog-actions palette-actions">
      {step.kind === 'ask' && (
        <button type="button" class="button calm" onClick={onBack}>
          {strings.cancel}
        </button>
      )}
      <button
        type="submit"
        class={`button ${step.kind === 'ask' ? 'danger' : 'primary'}`}
        aria-disabled={isBusy ? 'true' : undefined}
      >
        <Icon name={isBusy ? 'starting' : 'start'} spin={isBusy} />
        <span>{isBusy ? words.running : step.kind === 'ask' ? words.yes : words.run}</span>
      </button>
    </div>
  )
}

function Outcome({ step }: { step: Step }) {
  return (
    <div role="status" class="palette-outcome">
      {step.kind === 'run' && <p class="muted">{words.running}</p>}
      {step.kind === 'failed' && (
        <div class="callout tone-bad">
          <Icon name="warning" />
          <div class="callout-body">
            <p>
              <strong>{step.problem.message}</strong> <code class="small">{step.problem.code}</code>
            </p>
            {step.problem.hint !== null && <p>{step.problem.hint}</p>}
          </div>
        </div>
      )}
      {step.kind === 'done' && (
        <div class="palette-result" tabIndex={0} role="region" aria-label={words.result}>
          <Value value={step.answer} label={words.result} />
        </div>
      )}
    </div>
  )
}
