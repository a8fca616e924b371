/** Opens the palette: by a button, and by Ctrl-K or Cmd-K from anywhere on the page. */
import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRecord, call, listOf, textOr } from '../shared/api.ts'
import { plainText } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import type { PaletteProps } from '../shared/palette.tsx'
import { go } from './route.ts'
import { asApiError, notify, refresh, status } from './store.ts'
import { strings } from './strings.ts'
import { SECTIONS } from './sections.ts'

const words = strings.palette
const isOpen = signal(false)
const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

export function PaletteButton() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      event.preventDefault()
      isOpen.value = !isOpen.value
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <button
      type="button"
      class="button palette-button"
      aria-keyshortcuts="Control+K Meta+K"
      title={words.open}
      onClick={() => {
        isOpen.value = true
      }}
    >
      <Icon name="search" />
      <span class="visually-hidden">{words.open}</span>
      <span class="palette-word" aria-hidden="true">
        {words.short}
      </span>
      <kbd class="palette-word" aria-hidden="true">
        {isMac ? '⌘K' : 'Ctrl K'}
      </kbd>
    </button>
  )
}

export function PaletteHost() {
  const [Palette, setPalette] = useState<ComponentType<PaletteProps> | null>(null)
  const [names, setNames] = useState<Readonly<Record<string, readonly string[]>>>({})
  const open = isOpen.value
  useEffect(() => {
    if (!open) return
    import('../shared/palette.tsx').then(
      (loaded) => setPalette(() => loaded.Palette),
      (error: unknown) => {
        isOpen.value = false
        const { message, code } = asApiError(error)
        notify({ tone: 'bad', title: strings.notLoaded.text, text: message, code, command: null })
      },
    )
    void loadNames().then(setNames)
  }, [open])
  if (!open || Palette === null) return null
  const agents = (status.value?.agents ?? []).map(({ name }) => name)
  return (
    <Palette
      destinations={destinationsOf(agents)}
      names={{ ...names, agents }}
      onClose={() => {
        isOpen.value = false
      }}
      onDone={({ title, command }) => {
        notify({ tone: 'ok', title, text: null, code: null, command })
        void refresh()
      }}
    />
  )
}

const destinationsOf = (agents: readonly string[]): PaletteProps['destinations'] => [
  ...SECTIONS.map(({ id, icon }) => ({ label: strings.views[id], hint: '', icon, go: () => go(id) })),
  ...agents.map((name) => ({
    label: plainText(name),
    hint: words.agent,
    icon: 'agents' as const,
    go: () => go('agents', name),
  })),
]

/** Suggestions only: a form without them works as well. */
async function loadNames(): Promise<Readonly<Record<string, readonly string[]>>> {
  const read = (path: string, pick: (item: Record<string, unknown>) => string): Promise<string[]> =>
    call('GET', path).then(
      (body) =>
        listOf(body)
          .map((item) => pick(asRecord(item)))
          .filter((name) => name !== ''),
      () => [],
    )
  const [catalog, repos, settings] = await Promise.all([
    read('api/v1/catalog', ({ repository, agent }) => `${textOr(repository, '')}/${textOr(agent, '')}`),
    read('api/v1/repositories', ({ name }) => textOr(name, '')),
    read('api/v1/settings', ({ name }) => textOr(name, '')),
  ])
  return { catalog, repos, settings }
}
