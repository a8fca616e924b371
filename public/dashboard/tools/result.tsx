/** What came of a call: as it is meant, or as it came. All of it is text, pictures of harmless kinds, or sound. */
import { useState } from 'preact/hooks'
import { Value } from '../../shared/data.tsx'
import { Icon } from '../../shared/icons.tsx'
import { CopyButton } from '../../shared/ui.tsx'
import { Choice } from './choice.tsx'
import type { Answer, Part } from './model.ts'
import { plainLines } from './model.ts'
import { words } from './strings.ts'

export interface Outcome {
  readonly answer: Answer | null
  /** The call itself was refused. */
  readonly problem: { readonly message: string; readonly code: string } | null
  readonly ms: number
}

export function ResultView({ outcome }: { outcome: Outcome }) {
  const [view, setView] = useState<'rendered' | 'raw'>('rendered')
  const { answer, problem, ms } = outcome
  if (answer === null) {
    return (
      <div class="callout tone-bad">
        <Icon name="warning" />
        <div class="callout-body">
          <p>
            <strong>{words.refused}</strong> <code class="small">{problem?.code}</code>
          </p>
          <p>{problem?.message}</p>
        </div>
      </div>
    )
  }
  const raw = plainLines(JSON.stringify(answer.raw, null, 2))
  return (
    <>
      <div class="result-head">
        <h3>{words.result}</h3>
        <span class="muted small">{words.took(ms)}</span>
        <Choice<'rendered' | 'raw'>
          label={words.view}
          value={view}
          options={[
            ['rendered', words.rendered],
            ['raw', words.raw],
          ]}
          onChange={setView}
        />
        <CopyButton text={view === 'raw' ? raw : textOf(answer, raw)} name={words.copyResult} />
      </div>
      {answer.isError && (
        <p class="callout tone-bad">
          <Icon name="warning" />
          <span>{words.failed}</span>
        </p>
      )}
      <div class="result" tabIndex={0} role="region" aria-label={words.result}>
        {view === 'raw' ? <pre>{raw}</pre> : answer.parts.map((part, index) => <PartView key={index} part={part} />)}
        {view === 'rendered' && answer.parts.length === 0 && <p class="muted">{words.empty}</p>}
      </div>
    </>
  )
}

function textOf({ parts }: Answer, raw: string): string {
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))
  return texts.length > 0 ? texts.join('\n') : raw
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case 'text':
      return <pre class="result-text">{part.text}</pre>
    case 'image':
      return <img src={part.url} alt={words.image} />
    case 'audio':
      return <audio src={part.url} controls />
    case 'link':
      // An address that an agent made up: shown, not followed.
      return (
        <p>
          {part.text} <code class="small">{part.address}</code>
        </p>
      )
    case 'data':
      return <Value value={part.value} label={words.result} />
  }
}
