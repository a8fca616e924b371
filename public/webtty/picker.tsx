/** Chooses the agent, and what runs in it. */
import { useState } from 'preact/hooks'
import { plainText } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Command } from '../shared/ui.tsx'
import { listAgents } from './api.ts'
import type { AgentChoice } from './api.ts'
import { ProblemNote } from './problem-panel.tsx'
import { openTab } from './store.ts'
import { strings } from './strings.ts'
import { useLoaded } from './use-loaded.ts'

const { picker } = strings
const WHAT = ['cli', 'shell', 'other'] as const

let asked: Promise<AgentChoice[]> | null = null

/** Asks ahead of the first drawing, for a page that will begin with the choice. */
export function askForAgents(): void {
  asked = listAgents()
  // Whoever shows the choice also shows what went wrong.
  asked.catch(() => {})
}

function takeAgents(): Promise<AgentChoice[]> {
  const answer = asked ?? listAgents()
  asked = null
  return answer
}

export function Picker({ onOpened }: { onOpened?: () => void }) {
  const { data, problem } = useLoaded(takeAgents)
  const [what, setWhat] = useState<(typeof WHAT)[number]>('cli')
  const [command, setCommand] = useState('')
  if (problem !== null) return <ProblemNote problem={problem} />
  if (data === null) return <div class="card skeleton" role="status" aria-label={strings.sessions.loading} />
  if (data.length === 0) {
    return (
      <div class="stack">
        <h3>{picker.none}</h3>
        <p class="muted">{picker.noneText}</p>
        <Command text={picker.noneCommand} />
      </div>
    )
  }
  const open = (agent: string): void => {
    const words = what === 'other' ? command.trim() : what
    openTab({ agent, ...(words === '' ? {} : { command: words }) })
    onOpened?.()
  }
  return (
    <>
      <ul class="choices" aria-label={picker.agents}>
        {data.map(({ name, about, isRunning }) => (
          <li key={name}>
            <button type="button" class="choice" onClick={() => open(name)}>
              <Icon name="terminal" />
              <span class="stack">
                <span class="choice-name">
                  <span class="visually-hidden">{picker.openIn}</span> {plainText(name)}
                </span>
                {about !== '' && <span class="muted small">{about}</span>}
              </span>
              {!isRunning && <span class="muted small choice-end">{picker.notRunning}</span>}
            </button>
          </li>
        ))}
      </ul>
      <fieldset class="options in-line">
        <legend>{picker.what}</legend>
        {WHAT.map((one) => (
          <label key={one}>
            <input type="radio" name="what" checked={what === one} onChange={() => setWhat(one)} />
            <span>{picker.whats[one]}</span>
          </label>
        ))}
      </fieldset>
      {what === 'other' && (
        <input
          class="field"
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-label={picker.command}
          placeholder={picker.commandHint}
          value={command}
          onInput={(event) => setCommand(event.currentTarget.value)}
        />
      )}
    </>
  )
}
