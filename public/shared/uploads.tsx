/** Uploads of the files drawer: one after the other, each with its progress, a way to stop it, and a question where one is due. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api.ts'
import { percent, upload, within } from './files-transfer.ts'
import { byteCount, plainText } from './format.ts'
import { strings } from './strings.ts'
import { Button } from './ui.tsx'

const words = strings.files

interface Upload {
  readonly id: number
  readonly folder: string
  readonly file: File
  readonly overwrite: boolean
  readonly state: 'waiting' | 'sending' | 'done' | 'asks' | 'failed'
  readonly sent: number
  readonly problem: ApiError | null
  readonly abort: AbortController
}

export interface UploadList {
  readonly all: readonly Upload[]
  add(folder: string, files: readonly File[]): void
  replace(id: number): void
  /** Ends it, or takes its line away. */
  drop(id: number): void
}

/** What is under way ends with the drawer. */
export function useUploads(agent: string, onDone: () => void): UploadList {
  const [all, setAll] = useState<readonly Upload[]>([])
  const next = useRef(1)
  const live = useRef<readonly Upload[]>([])
  live.current = all
  const change = (id: number, to: Partial<Upload>): void =>
    setAll((before) => before.map((one) => (one.id === id ? { ...one, ...to } : one)))

  const first =
    all.find(({ state }) => state === 'sending') === undefined
      ? all.find(({ state }) => state === 'waiting')
      : undefined
  useEffect(() => {
    if (first === undefined) return
    const { id, folder, file, overwrite, abort } = first
    change(id, { state: 'sending', sent: 0, problem: null })
    const onProgress = (sent: number): void => change(id, { sent })
    upload({ agent, path: within(folder, file.name), file, overwrite, signal: abort.signal, onProgress }).then(
      () => {
        change(id, { state: 'done', sent: file.size })
        onDone()
      },
      (error: unknown) => {
        const problem = error instanceof ApiError ? error : new ApiError(String(error), { code: 'INTERNAL', status: 0 })
        change(id, { state: problem.code === 'CONFLICT' ? 'asks' : 'failed', problem })
      },
    )
  }, [first?.id, first?.overwrite])
  useEffect(() => () => live.current.forEach(({ abort }) => abort.abort()), [])

  return {
    all,
    add(folder, files) {
      const added = files.map((file): Upload => ({
        ...{ id: next.current++, folder, file, overwrite: false, state: 'waiting', sent: 0, problem: null },
        abort: new AbortController(),
      }))
      setAll((before) => [...before.filter(({ state }) => state !== 'done'), ...added])
    },
    replace: (id) => change(id, { overwrite: true, state: 'waiting' }),
    drop(id) {
      live.current.find((one) => one.id === id)?.abort.abort()
      setAll((before) => before.filter((one) => one.id !== id))
    },
  }
}

export function Uploads({ uploads }: { uploads: UploadList }) {
  if (uploads.all.length === 0) return null
  return (
    <ul class="uploads" aria-label={words.uploads}>
      {uploads.all.map((one) => (
        <Line key={one.id} one={one} uploads={uploads} />
      ))}
    </ul>
  )
}

function Line({ one, uploads }: { one: Upload; uploads: UploadList }) {
  const name = plainText(one.file.name)
  const { state, problem } = one
  const isOpen = state === 'waiting' || state === 'sending'
  return (
    <li class={`upload is-${state}`}>
      <span class="entry-name">{name}</span>
      {isOpen && (
        <progress aria-label={words.progress(name)} max={100} value={percent(one.sent, one.file.size)}>
          {percent(one.sent, one.file.size)} %
        </progress>
      )}
      <span class="small" role={state === 'failed' || state === 'asks' ? 'alert' : 'status'}>
        {state === 'done' && words.done(byteCount(one.file.size))}
        {state === 'waiting' && words.waiting}
        {state === 'asks' && words.asks(name)}
        {state === 'failed' && problem !== null && (
          <>
            {plainText(problem.message)} <code>{problem.code}</code>
          </>
        )}
      </span>
      <span class="upload-actions">
        {state === 'asks' && (
          <Button
            kind="danger"
            label={words.replace}
            name={words.replaceOf(name)}
            onClick={() => uploads.replace(one.id)}
          />
        )}
        <Button
          kind="quiet"
          label={isOpen ? words.cancel : state === 'asks' ? words.keep : words.dismiss}
          name={isOpen ? words.cancelOf(name) : state === 'asks' ? words.keepOf(name) : words.dismissOf(name)}
          onClick={() => uploads.drop(one.id)}
        />
      </span>
    </li>
  )
}
