/** Search in what the terminal still holds. */
import type { ISearchOptions, SearchAddon } from '@xterm/addon-search'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../shared/ui.tsx'
import { pageColours } from './palettes.ts'
import type { TtySession } from './session.ts'
import { focusTerminal, searching } from './store.ts'
import { strings } from './strings.ts'

const { find } = strings
/** The addon marks no more than so many. */
const MOST = 1000

function optionsOf(regex: boolean, caseSensitive: boolean): ISearchOptions {
  const { accent } = pageColours()
  return {
    regex,
    caseSensitive,
    decorations: {
      matchBackground: '#7a5c00',
      activeMatchBackground: '#c2410c',
      matchOverviewRuler: hexOf(accent),
      activeMatchColorOverviewRuler: '#c2410c',
    },
  }
}

/** The addon knows #rrggbb alone. */
function hexOf(rgb: string): string {
  const parts = (rgb.match(/\d+/g) ?? []).slice(0, 3).map((part) => Number(part).toString(16).padStart(2, '0'))
  return parts.length === 3 ? `#${parts.join('')}` : '#c2410c'
}

function isRegex(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

export function SearchBar({ session }: { session: TtySession }) {
  const [text, setText] = useState('')
  const [regex, setRegex] = useState(false)
  const [matchCase, setMatchCase] = useState(false)
  const [result, setResult] = useState<{ index: number; count: number } | null>(null)
  const [addon, setAddon] = useState<SearchAddon | null>(null)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    field.current?.focus()
    let off = (): void => {}
    void session.terminal.value?.search().then((loaded) => {
      const listener = loaded.onDidChangeResults(({ resultIndex, resultCount }) =>
        setResult({ index: resultIndex, count: resultCount }),
      )
      off = () => {
        listener.dispose()
        loaded.clearDecorations()
      }
      setAddon(loaded)
    })
    return () => off()
  }, [session])
  const invalid = regex && !isRegex(text)
  useEffect(() => {
    if (text === '' || invalid) {
      addon?.clearDecorations()
      setResult(null)
    } else addon?.findPrevious(text, { ...optionsOf(regex, matchCase), incremental: true })
  }, [addon, text, regex, matchCase, invalid])
  const go = (forward: boolean): void => {
    if (text === '' || invalid) return
    if (forward) addon?.findNext(text, optionsOf(regex, matchCase))
    else addon?.findPrevious(text, optionsOf(regex, matchCase))
  }
  const close = (): void => {
    searching.value = null
    focusTerminal()
  }
  return (
    <div
      class="search-bar"
      role="search"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      <input
        ref={field}
        class="field"
        type="text"
        autocomplete="off"
        spellcheck={false}
        aria-label={find.label}
        aria-invalid={invalid}
        placeholder={strings.search}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing) return
          event.preventDefault()
          go(event.shiftKey)
        }}
      />
      <span class="small search-count" role="status">
        {text === '' ? '' : invalid ? find.invalid : countText(result)}
      </span>
      <Toggle label={find.matchCase} text="Aa" on={matchCase} onChange={setMatchCase} />
      <Toggle label={find.regex} text=".*" on={regex} onChange={setRegex} />
      <Button iconOnly kind="quiet" icon="previous" label={find.previous} onClick={() => go(false)} />
      <Button iconOnly kind="quiet" icon="next" label={find.next} onClick={() => go(true)} />
      <Button iconOnly kind="quiet" icon="close" label={find.close} onClick={close} />
    </div>
  )
}

function countText(result: { index: number; count: number } | null): string {
  if (result === null) return ''
  return result.count >= MOST ? find.many(result.index) : find.count(result.index, result.count)
}

interface ToggleProps {
  readonly label: string
  readonly text: string
  readonly on: boolean
  onChange(on: boolean): void
}

export function Toggle({ label, text, on, onChange }: ToggleProps) {
  return (
    <button
      type="button"
      class="button quiet toggle"
      aria-label={label}
      aria-pressed={on}
      title={label}
      onClick={() => onChange(!on)}
    >
      {text}
    </button>
  )
}
