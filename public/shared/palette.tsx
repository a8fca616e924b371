/**
 * The command palette: everything the table of commands offers to this visitor, and ways through the page. A combobox (ARIA
 * Authoring Practices): the focus stays in the field, arrows choose. Loaded when it is opened for the first time.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { call } from './api.ts'
import type { CommandEntry } from './command-model.ts'
import { fits, readCommands } from './command-model.ts'
import { CommandRunner } from './palette-run.tsx'
import type { PaletteHost } from './palette-run.tsx'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'
import { strings } from './strings.ts'
import { Dialog } from './ui.tsx'

const words = strings.palette
const MAX_SHOWN = 60

/** A way through the page. */
export interface Destination {
  readonly label: string
  readonly hint: string
  readonly icon: IconName
  go(): void
}

export interface PaletteProps extends PaletteHost {
  readonly destinations: readonly Destination[]
  onClose(): void
}

interface Item {
  readonly key: string
  readonly icon: IconName
  readonly label: string
  readonly hint: string
  /** At the end of the line: where it belongs, or that it is for a terminal. */
  readonly tag: string
  choose(): void
}

export function Palette({ destinations, onClose, ...host }: PaletteProps) {
  const [commands, setCommands] = useState<readonly CommandEntry[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [chosen, setChosen] = useState<CommandEntry | null>(null)
  const [typed, setTyped] = useState('')
  useEffect(() => {
    call('GET', 'api/v1/commands').then(
      (body) => setCommands(readCommands(body)),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    )
  }, [])
  const items = useMemo((): Item[] => {
    const ways = destinations.map(({ label, hint, icon, go }) => ({
      ...{ key: `go ${hint} ${label}`, label, hint, icon, tag: words.goTo },
      choose() {
        onClose()
        go()
      },
    }))
    return [...ways, ...commands.map((entry) => itemOf(entry, () => setChosen(entry)))]
  }, [commands, destinations])
  return (
    <Dialog class="palette" labelledBy="palette-title" onClose={onClose}>
      <h2 id="palette-title" class="visually-hidden">
        {words.title}
      </h2>
      {chosen === null ? (
        <Search items={items} typed={typed} onType={setTyped} problem={problem} />
      ) : (
        <CommandRunner command={chosen} host={host} onBack={() => setChosen(null)} onClose={onClose} />
      )}
    </Dialog>
  )
}

const itemOf = (entry: CommandEntry, choose: () => void): Item => ({
  key: `run ${entry.name}`,
  icon: entry.http === null ? 'terminal' : 'start',
  label: entry.name,
  hint: entry.summary,
  tag: entry.http === null ? words.inTerminal : entry.group,
  choose,
})

/** The best first; without anything typed, in the order of the table. */
function found(items: readonly Item[], typed: string): Item[] {
  if (typed.trim() === '') return items.slice(0, MAX_SHOWN)
  return items
    .map((item) => ({
      item,
      score: fits(item.label, typed) * 2 + (item.hint.toLowerCase().includes(typed.trim().toLowerCase()) ? 50 : 0),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_SHOWN)
    .map(({ item }) => item)
}

interface SearchProps {
  readonly items: readonly Item[]
  readonly typed: string
  readonly problem: string | null
  onType(text: string): void
}

function Search({ items, typed, problem, onType }: SearchProps) {
  const [active, setActive] = useState(0)
  const shown = found(items, typed)
  const index = Math.min(active, Math.max(0, shown.length - 1))
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [index, typed])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }
    const step = steps[event.key]
    if (step !== undefined && shown.length > 0) {
      event.preventDefault()
      const next = index + step
      // One step beyond an end comes back at the other.
      setActive(
        Math.abs(step) === 1 ? (next + shown.length) % shown.length : Math.max(0, Math.min(shown.length - 1, next)),
      )
    } else if (event.key === 'Enter') {
      event.preventDefault()
      shown[index]?.choose()
    }
  }
  const selected = shown[index]
  return (
    <>
      <div class="palette-field">
        <Icon name="search" />
        <input
          role="combobox"
          type="text"
          autoFocus
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          aria-label={words.title}
          aria-expanded="true"
          aria-controls="palette-list"
          aria-autocomplete="list"
          aria-activedescendant={selected === undefined ? undefined : `palette-${index}`}
          placeholder={words.placeholder}
          value={typed}
          onInput={({ currentTarget }) => {
            onType(currentTarget.value)
            setActive(0)
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      {problem !== null && <p class="palette-note tone-bad">{words.noCommands(problem)}</p>}
      <ul id="palette-list" class="palette-list" role="listbox" aria-label={words.list} ref={list}>
        {shown.map((item, at) => (
          <li
            key={item.key}
            id={`palette-${at}`}
            role="option"
            aria-selected={at === index}
            onClick={() => item.choose()}
            onMouseMove={() => setActive(at)}
          >
            <Icon name={item.icon} />
            <span class="palette-label">{item.label}</span>
            <span class="muted small palette-hint">{item.hint}</span>
            <span class="muted small palette-tag">{item.tag}</span>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="palette-note muted">{words.noMatch(typed)}</p>}
      <p class="palette-foot muted small">
        <span class="palette-keys" aria-hidden="true">
          {words.keys}
        </span>
        <span role="status">{words.count(shown.length)}</span>
      </p>
    </>
  )
}
