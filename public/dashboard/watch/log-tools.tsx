/** What one does with a log: searching it, and taking it along. */
import { useRef } from 'preact/hooks'
import { copyText } from '../../shared/clipboard.ts'
import { Button } from '../../shared/ui.tsx'
import { setQuery } from '../route.ts'
import { notify } from '../store.ts'
import { words } from '../views/logs-strings.ts'
import { Menu, saveFile, Toggle } from './controls.tsx'
import { asNdjson, asPlain } from './log-buffer.ts'
import type { LogLine } from './log-line.ts'

export const SEARCH_ID = 'log-search'

interface SearchProps {
  readonly text: string
  readonly isRegex: boolean
  readonly problem: string | null
  onJump(step: 1 | -1): void
}

export function SearchField({ text, isRegex, problem, onJump }: SearchProps) {
  const ref = useRef<HTMLInputElement>(null)
  return (
    <span class="log-search">
      <input
        ref={ref}
        id={SEARCH_ID}
        class="field"
        type="search"
        aria-label={words.search}
        aria-keyshortcuts="/"
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : 'log-search-problem'}
        placeholder={words.searchHint}
        value={text}
        onInput={({ currentTarget: { value } }) => setQuery({ q: value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onJump(event.shiftKey ? -1 : 1)
        }}
      />
      <Toggle
        label={words.regexShort}
        title={words.regex}
        isOn={isRegex}
        onChange={(isOn) => setQuery({ regex: isOn ? '1' : null })}
      />
      {problem !== null && (
        <span id="log-search-problem" class="small search-problem" role="alert" title={problem}>
          {words.badPattern}
        </span>
      )}
    </span>
  )
}

export function Save({ lines, withSource, name }: { lines: readonly LogLine[]; withSource: boolean; name: string }) {
  const file = `${name.replace(/[^\w.-]/g, '_')}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`
  const copy = async (): Promise<void> => {
    const isDone = await copyText(asPlain(lines, withSource))
    const title = isDone ? words.shown(lines.length, lines.length) : words.copy
    notify({ tone: isDone ? 'ok' : 'bad', title, text: words.copy, code: null, command: null })
  }
  return (
    <Menu label={words.more}>
      <div class="menu-actions column">
        <Button kind="quiet" icon="copy" label={words.copy} onClick={() => void copy()} />
        <Button
          kind="quiet"
          icon="download"
          label={words.saveText}
          onClick={() => saveFile(`${file}.log`, `${asPlain(lines, withSource)}\n`, 'text/plain')}
        />
        <Button
          kind="quiet"
          icon="download"
          label={words.saveNdjson}
          onClick={() => saveFile(`${file}.ndjson`, `${asNdjson(lines)}\n`, 'application/x-ndjson')}
        />
      </div>
    </Menu>
  )
}
