/** Agents of all enabled repositories; enabling one shows what it gets, and asks. */
import { useState } from 'preact/hooks'
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { plainText } from '../../shared/format.ts'
import { Badge, Button } from '../../shared/ui.tsx'
import { useLoad } from '../do.ts'
import { EnableDialog } from '../enable.tsx'
import { ViewHead } from '../head.tsx'
import { Nothing, Pane } from '../pane.tsx'
import { hrefOf, setQuery } from '../route.ts'
import { status } from '../store.ts'
import { strings } from '../strings.ts'
import { Choice } from '../tools/choice.tsx'
import type { ViewProps } from '../view.ts'
import { words } from './catalog-strings.ts'

interface Entry {
  readonly agent: string
  readonly repository: string
  readonly enabled: boolean
  readonly about: string
  /** The manifest's problem, where it has one. */
  readonly problem: string | null
}

function readCatalog(body: unknown): Entry[] {
  return listOf(body).map((item) => {
    const { agent, repository, enabled, about } = asRecord(item)
    const text = plainText(textOr(about, ''))
    const isBroken = text.startsWith('! ')
    return {
      agent: textOr(agent, ''),
      repository: textOr(repository, ''),
      enabled: enabled === true,
      about: isBroken ? '' : text,
      problem: isBroken ? text.slice(2) : null,
    }
  })
}

type Which = 'all' | 'new' | 'enabled'

export function View({ query }: ViewProps) {
  const loaded = useLoad('api/v1/catalog', readCatalog, { on: /^(?:agent\.(?:enabled|disabled)|repo)/ })
  const [enabling, setEnabling] = useState<Entry | null>(null)
  const typed = query.get('q') ?? ''
  const which = (['new', 'enabled'] as const).find((one) => one === query.get('show')) ?? 'all'
  const all = loaded.data ?? []
  const parts = typed.toLowerCase().split(/\s+/)
  const shown = all.filter(
    (entry) =>
      (which === 'all' || entry.enabled === (which === 'enabled')) &&
      parts.every((part) => `${entry.repository}/${entry.agent} ${entry.about}`.toLowerCase().includes(part)),
  )
  return (
    <>
      <ViewHead title={strings.views.catalog} note={words.count(shown.length, all.length)}>
        <Choice<Which>
          label={words.which}
          value={which}
          options={[
            ['all', words.only.all],
            ['new', words.only.new],
            ['enabled', words.only.enabled],
          ]}
          onChange={(show) => setQuery({ show: show === 'all' ? null : show })}
        />
        <input
          class="field filter"
          type="search"
          aria-label={words.filter}
          placeholder={words.filter}
          value={typed}
          onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
        />
      </ViewHead>
      <Pane of={loaded}>
        {() =>
          all.length === 0 ? (
            <Nothing {...words.empty} />
          ) : shown.length === 0 ? (
            <Nothing title={words.noMatch(typed)} text={words.noMatchText}>
              <a class="button" href={hrefOf('repositories')}>
                {words.repositories}
              </a>
            </Nothing>
          ) : (
            <ul class="catalog">
              {shown.map((entry) => (
                <CatalogCard
                  key={`${entry.repository}/${entry.agent}`}
                  entry={entry}
                  onEnable={() => setEnabling(entry)}
                />
              ))}
            </ul>
          )
        }
      </Pane>
      {enabling !== null && (
        <EnableDialog
          reference={`${enabling.repository}/${enabling.agent}`}
          isEnabled={false}
          onClose={() => {
            setEnabling(null)
            void loaded.reload()
          }}
        />
      )}
    </>
  )
}

function CatalogCard({ entry, onEnable }: { entry: Entry; onEnable(): void }) {
  const name = plainText(entry.agent)
  // Enabled under another name, it has another address.
  const known = status.value?.agents.find(({ ref }) => ref === `${entry.repository}/${entry.agent}`)
  return (
    <li class="card catalog-card" data-catalog={`${entry.repository}/${entry.agent}`}>
      <div class="catalog-head">
        <h2>{name}</h2>
        <span class="muted small">{plainText(entry.repository)}</span>
      </div>
      {entry.problem === null ? (
        <p class="muted catalog-about">{entry.about === '' ? words.noAbout : entry.about}</p>
      ) : (
        <p class="callout tone-bad">
          {words.broken}: {entry.problem}
        </p>
      )}
      <div class="catalog-foot">
        {entry.enabled && (
          <Badge tone="ok" icon="check">
            {words.isEnabled}
          </Badge>
        )}
        {entry.enabled && known !== undefined && (
          <a class="button quiet" href={hrefOf('agents', known.name)} aria-label={words.openOf(plainText(known.name))}>
            {words.open}
          </a>
        )}
        {!entry.enabled && entry.problem === null && (
          <Button icon="add" label={words.enable} name={words.enableOf(name)} onClick={onEnable} />
        )}
      </div>
    </li>
  )
}
