/** Files of one agent: look, take, give. Any page can open it: it knows its agent and nothing of the page. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api.ts'
import { filesOf } from './dropped-files.ts'
import './files-drawer.css'
import type { Entry, Listing } from './files-transfer.ts'
import { downloadUrl, list, within } from './files-transfer.ts'
import { byteCount, plainText } from './format.ts'
import { Icon } from './icons.tsx'
import { strings } from './strings.ts'
import { Button, Dialog } from './ui.tsx'
import { Uploads, useUploads } from './uploads.tsx'

const words = strings.files

const NONE: readonly File[] = []

export interface FilesDrawerProps {
  readonly agent: string
  /** Where it begins; the agent's working folder by default. */
  readonly folder?: string
  /** Uploaded there as soon as the folder is known. */
  readonly files?: readonly File[]
  onClose(): void
}

export function FilesDrawer({ agent, folder = '.', files = NONE, onClose }: FilesDrawerProps) {
  const view = useListing(agent, folder)
  const uploads = useUploads(agent, view.refresh)
  const picker = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const path = view.listing?.path ?? null
  const give = (files: readonly File[]): void => {
    if (path !== null) uploads.add(path, files)
  }
  const isKnown = path !== null
  useEffect(() => {
    if (isKnown && files.length > 0) give(files)
  }, [isKnown, files])
  const name = plainText(agent)
  return (
    <Dialog class={over ? 'files-drawer is-over' : 'files-drawer'} labelledBy="files-title" onClose={onClose}>
      <div
        class="files-body"
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={(event) => {
          if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)))
            setOver(false)
        }}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          give(filesOf(event.dataTransfer))
        }}
      >
        <div class="files-head">
          <h2 id="files-title">{words.title(name)}</h2>
          <Button iconOnly kind="quiet" icon="close" label={words.close} onClick={onClose} />
        </div>
        <div class="files-tools">
          <Crumbs path={path} go={view.go} />
          <Button icon="restart" kind="quiet" label={words.refresh} busy={view.loading} onClick={view.refresh} />
          <Button icon="upload" kind="primary" label={words.upload} onClick={() => picker.current?.click()} />
          <input
            ref={picker}
            class="visually-hidden"
            type="file"
            multiple
            tabIndex={-1}
            aria-label={words.choose}
            onChange={({ currentTarget: input }) => {
              give([...(input.files ?? [])])
              input.value = ''
            }}
          />
        </div>
        {view.problem !== null && <Problem problem={view.problem} />}
        <Uploads uploads={uploads} />
        <div class="files-list" aria-busy={view.loading}>
          {view.listing !== null && <Entries agent={agent} listing={view.listing} go={view.go} />}
        </div>
        <p class="muted small">{words.dropHint}</p>
        <p class="visually-hidden" role="status">
          {view.loading ? words.loading : view.listing === null ? '' : words.count(view.listing.entries.length)}
        </p>
      </div>
    </Dialog>
  )
}

function useListing(agent: string, start: string) {
  const [wanted, setWanted] = useState({ path: start, turn: 0 })
  const [state, setState] = useState<{ listing: Listing | null; problem: ApiError | null; loading: boolean }>({
    listing: null,
    problem: null,
    loading: true,
  })
  useEffect(() => {
    let current = true
    setState((before) => ({ ...before, loading: true }))
    list(agent, wanted.path).then(
      (listing) => current && setState({ listing, problem: null, loading: false }),
      (error: unknown) => {
        const problem = error instanceof ApiError ? error : new ApiError(String(error), { code: 'INTERNAL', status: 0 })
        if (current) setState((before) => ({ ...before, problem, loading: false }))
      },
    )
    return () => {
      current = false
    }
  }, [agent, wanted])
  const at = useRef(start)
  at.current = state.listing?.path ?? wanted.path
  return {
    ...state,
    go: (path: string) => setWanted(({ turn }) => ({ path, turn: turn + 1 })),
    refresh: () => setWanted(({ turn }) => ({ path: at.current, turn: turn + 1 })),
  }
}

function Crumbs({ path, go }: { path: string | null; go(path: string): void }) {
  const parts = (path ?? '').split('/').filter((part) => part !== '')
  return (
    <nav class="crumbs" aria-label={words.where}>
      <button type="button" class="crumb" onClick={() => go('/')}>
        /<span class="visually-hidden">{words.root}</span>
      </button>
      {parts.map((part, index) => (
        <button
          key={index}
          type="button"
          class="crumb"
          aria-current={index === parts.length - 1 ? 'location' : undefined}
          onClick={() => go(`/${parts.slice(0, index + 1).join('/')}`)}
        >
          {plainText(part)}
        </button>
      ))}
    </nav>
  )
}

interface EntriesProps {
  readonly agent: string
  readonly listing: Listing
  go(path: string): void
}

function Entries({ agent, listing, go }: EntriesProps) {
  if (listing.entries.length === 0) return <p class="muted">{words.empty}</p>
  return (
    <>
      <ul class="entries">
        {listing.entries.map((entry) => (
          <li key={entry.name}>
            <Row entry={entry} path={within(listing.path, entry.name)} agent={agent} go={go} />
          </li>
        ))}
      </ul>
      {listing.truncated && <p class="muted">{words.more}</p>}
    </>
  )
}

function Row({ entry, path, agent, go }: { entry: Entry; path: string; agent: string; go(path: string): void }) {
  const name = plainText(entry.name)
  const about = (
    <span class="muted small about">
      {entry.size === null ? words.kind[entry.kind] : byteCount(entry.size)}
      {entry.mtimeMs !== null && ` · ${new Date(entry.mtimeMs).toLocaleString()}`}
    </span>
  )
  if (entry.kind === 'directory') {
    return (
      <button type="button" class="entry" onClick={() => go(path)}>
        <Icon name="folder" />
        <span class="visually-hidden">{words.open} </span>
        <span class="entry-name">{name}</span>
        {about}
      </button>
    )
  }
  if (entry.kind === 'other') {
    return (
      <span class="entry is-other">
        <Icon name="file" />
        <span class="entry-name">{name}</span>
        {about}
      </span>
    )
  }
  return (
    <a class="entry" href={downloadUrl(agent, path)} download={entry.name}>
      <Icon name="file" />
      <span class="visually-hidden">{words.download} </span>
      <span class="entry-name">{name}</span>
      {about}
      <Icon name="download" />
    </a>
  )
}

export function Problem({ problem }: { problem: ApiError }) {
  return (
    <div class="callout tone-bad" role="alert">
      <Icon name="warning" />
      <div class="callout-body">
        <p>
          <strong>{plainText(problem.message)}</strong> <code class="small">{problem.code}</code>
        </p>
        {problem.hint !== null && <p>{problem.hint}</p>}
      </div>
    </div>
  )
}
