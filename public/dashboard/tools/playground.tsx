/** One tool, resource or prompt: its form, the call with progress and a way to end it, the result, the same as code. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { AgentClient } from '../../mcp-client/main.ts'
import { plainText } from '../../shared/format.ts'
import { Badge, Button, CopyButton } from '../../shared/ui.tsx'
import { Choice } from './choice.tsx'
import { SchemaForm } from './form.tsx'
import { noteCall } from './history.ts'
import type { CallText, Offer } from './model.ts'
import { codeOf, commandOf, curlOf, messageOf, plainLines, readAnswer } from './model.ts'
import type { Outcome } from './result.tsx'
import { ResultView } from './result.tsx'
import type { Draft } from './schema.ts'
import { draftsOf, fieldsOf, parseJson, readDrafts } from './schema.ts'
import { words } from './strings.ts'

export interface PlaygroundProps {
  readonly agent: string
  readonly endpoint: string
  readonly client: AgentClient
  readonly offer: Offer
  /** Arguments to begin with, of a call before. */
  readonly given: Record<string, unknown>
}

interface Running {
  readonly abort: AbortController
  readonly progress: { readonly progress: number; readonly total?: number; readonly message?: string } | null
}

export function Playground({ agent, endpoint, client, offer, given }: PlaygroundProps) {
  const fields = useMemo(() => fieldsOf(offer.schema), [offer])
  const [mode, setMode] = useState<'form' | 'json'>('form')
  const [drafts, setDrafts] = useState<{ readonly [name: string]: Draft }>(() => draftsOf(fields, given))
  const [json, setJson] = useState('{}')
  const [complaint, setComplaint] = useState<string | null>(null)
  const [running, setRunning] = useState<Running | null>(null)
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const current = useRef<AbortController | null>(null)
  // Leaving ends what is under way, in the agent too.
  useEffect(() => () => current.current?.abort(), [])

  /** The arguments as they stand; null says that something is wrong, and what. */
  function argumentsNow(): { args: Record<string, unknown>; faults: readonly string[] } {
    if (mode === 'form') {
      const { value, faults } = readDrafts(fields, drafts)
      return { args: value as Record<string, unknown>, faults: faults.map(words.fault) }
    }
    const parsed = parseJson(json)
    if (!parsed.ok) return { args: {}, faults: [words.badJson(parsed.problem)] }
    const isObject = typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value)
    return isObject
      ? { args: parsed.value as Record<string, unknown>, faults: [] }
      : { args: {}, faults: [words.notObject] }
  }

  function switchTo(next: 'form' | 'json'): void {
    const { args, faults } = argumentsNow()
    if (next === 'json') setJson(JSON.stringify(args, null, 2))
    else if (mode === 'json' && faults.length > 0) return setComplaint(faults.join('. '))
    else setDrafts(draftsOf(fields, args))
    setComplaint(null)
    setMode(next)
  }

  async function call(): Promise<void> {
    const { args, faults } = argumentsNow()
    if (faults.length > 0) return setComplaint(faults.join('. '))
    setComplaint(null)
    setOutcome(null)
    const abort = new AbortController()
    current.current = abort
    setRunning({ abort, progress: null })
    const started = performance.now()
    const options = {
      signal: abort.signal,
      onProgress: (progress: Running['progress']) => setRunning({ abort, progress }),
    }
    const done = (end: Omit<Outcome, 'ms'>): void => {
      const ms = Math.round(performance.now() - started)
      setRunning(null)
      setOutcome({ ...end, ms })
      const failed = end.answer === null || end.answer.isError
      noteCall({ agent, kind: offer.kind, id: offer.id, args, at: new Date().toISOString(), ms, failed })
    }
    try {
      done({ answer: readAnswer(await send(client, offer, { args, options })), problem: null })
    } catch (error) {
      const problem = abort.signal.aborted ? { message: words.cancelled, code: 'INTERRUPTED' } : messageOf(error)
      done({ answer: null, problem })
    }
  }

  return (
    <div class="playground">
      <Head offer={offer} />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (running === null) void call()
        }}
      >
        {offer.kind !== 'resource' && (
          <div class="arguments">
            {fields.length === 0 && mode === 'form' ? (
              <p class="muted">{words.noArguments}</p>
            ) : mode === 'form' ? (
              <SchemaForm fields={fields} drafts={drafts} onChange={setDrafts} />
            ) : (
              <JsonField text={json} onChange={setJson} />
            )}
          </div>
        )}
        {complaint !== null && (
          <p class="callout tone-bad" role="alert">
            {complaint}
          </p>
        )}
        <div class="call-line">
          <button type="submit" class="button primary" aria-disabled={running !== null ? 'true' : undefined}>
            {words.call[offer.kind]}
          </button>
          {running !== null && <Button icon="stopped" label={words.cancel} onClick={() => running.abort.abort()} />}
          {offer.kind !== 'resource' && (
            <Choice
              label={words.argumentsAre}
              value={mode}
              options={[
                ['form', words.form],
                ['json', words.json],
              ]}
              onChange={switchTo}
            />
          )}
        </div>
      </form>
      <div role="status">{running !== null && <Progress progress={running.progress} />}</div>
      <div aria-live="polite">{outcome !== null && <ResultView outcome={outcome} />}</div>
      <AsCode call={{ endpoint, kind: offer.kind, id: offer.id, args: argumentsNow().args }} agent={agent} />
    </div>
  )
}

interface Sent {
  readonly args: Record<string, unknown>
  readonly options: Parameters<AgentClient['readResource']>[1]
}

function send(client: AgentClient, { kind, id }: Offer, { args, options }: Sent): Promise<unknown> {
  if (kind === 'tool') return client.callTool(id, args, options)
  if (kind === 'resource') return client.readResource(id, options)
  const texts = Object.entries(args).map(([name, value]) => [name, String(value)])
  return client.getPrompt(id, Object.fromEntries(texts) as Record<string, string>, options)
}

function Head({ offer }: { offer: Offer }) {
  const { title, id, about, marks } = offer
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // Whoever chose it in the list goes on here; on a narrow screen the list is out of sight then.
    const { activeElement } = document
    if (activeElement === document.body || activeElement?.closest('.offers, .history') !== null)
      heading.current?.focus()
  }, [])
  return (
    <div class="offer-head">
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {plainText(id) !== title && <code class="small muted">{plainText(id)}</code>}
      {marks.length > 0 && (
        <span class="marks" title={words.marksNote}>
          {marks.map((mark) => (
            <Badge key={mark} tone={mark === 'reads' ? 'ok' : mark === 'destroys' ? 'warn' : 'info'}>
              {words.marks[mark]}
            </Badge>
          ))}
        </span>
      )}
      {about !== '' && <p class="muted offer-about">{about}</p>}
    </div>
  )
}

function JsonField({ text, onChange }: { text: string; onChange(text: string): void }) {
  return (
    <textarea
      class="field"
      rows={8}
      spellcheck={false}
      aria-label={words.arguments}
      value={text}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
    />
  )
}

function Progress({ progress }: { progress: Running['progress'] }) {
  const known = progress !== null && typeof progress.total === 'number' && progress.total > 0
  return (
    <div class="progress">
      <progress aria-label={words.calling} {...(known ? { value: progress.progress, max: progress.total } : {})} />
      <span class="muted small">{plainLines(String(progress?.message ?? words.calling)).slice(0, 300)}</span>
    </div>
  )
}

function AsCode({ call, agent }: { call: CallText; agent: string }) {
  const [form, setForm] = useState<'shell' | 'curl' | 'code'>('shell')
  const text = form === 'shell' ? commandOf(call, agent) : form === 'curl' ? curlOf(call) : codeOf(call)
  return (
    <details class="as-code">
      <summary>{words.asCode}</summary>
      <div class="code-head">
        <Choice<'shell' | 'curl' | 'code'>
          label={words.asCode}
          value={form}
          options={[
            ['shell', words.shell],
            ['curl', words.curl],
            ['code', words.code],
          ]}
          onChange={setForm}
        />
        <CopyButton text={text} name={words.asCode} />
      </div>
      <pre tabIndex={0} role="region" aria-label={words.asCode}>
        {text}
      </pre>
    </details>
  )
}
