/** Repositories of agents: add, enable, disable, bring up to date. */
import { useState } from 'preact/hooks'
import { asRecord, listOf, numberOr, textOr } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText, shellWord } from '../../shared/format.ts'
import { Badge, Breakable, Button } from '../../shared/ui.tsx'
import { ask } from '../ask.tsx'
import { perform, useLoad } from '../do.ts'
import type { Task } from '../do.ts'
import { TextField } from '../field.tsx'
import { ViewHead } from '../head.tsx'
import { Pane, Section } from '../pane.tsx'
import { strings } from '../strings.ts'
import { words as all } from './manage-strings.ts'

const words = all.repositories

interface Repository {
  readonly name: string
  readonly state: 'enabled' | 'missing' | 'disabled' | 'new'
  readonly builtIn: boolean
  readonly agents: number
  readonly source: string
}

const clean = (value: unknown): string => plainText(textOr(value, ''))

const readRepositories = (body: unknown): Repository[] =>
  listOf(body).map((item) => {
    const { name, enabled, present, builtIn, agents, source, branch } = asRecord(item)
    const here = present === true
    return {
      name: textOr(name, ''),
      state: enabled === true ? (here ? 'enabled' : 'missing') : here ? 'disabled' : 'new',
      builtIn: builtIn === true,
      agents: numberOr(agents, 0),
      source: [clean(source), clean(branch)].filter((part) => part !== '').join(' '),
    }
  })

type What = 'enable' | 'disable' | 'update'

function taskOf(what: What, name: string | null): Task {
  const label = name === null ? words.all : plainText(name)
  const ends = { done: `${words.did[what]} ${label}`, failed: words.failed(what, label) }
  if (what === 'update') {
    const body = name === null ? {} : { repos: [name] }
    const command = `ploinky update${name === null ? '' : ` ${shellWord(name)}`}`
    return { ...ends, method: 'POST', path: 'api/v1/repositories/update', body, command }
  }
  const command = `ploinky ${what} repo ${shellWord(name ?? '')}`
  return {
    ...ends,
    method: 'POST',
    path: `api/v1/repositories/${encodeURIComponent(name ?? '')}/${what}`,
    body: {},
    command,
  }
}

export function View() {
  const loaded = useLoad('api/v1/repositories?all=true', readRepositories, { on: /^repo/ })
  const [doing, setDoing] = useState<string | null>(null)
  const run = async (what: What, name: string | null): Promise<void> => {
    setDoing(`${what} ${name ?? ''}`)
    await perform(taskOf(what, name))
    setDoing(null)
    await loaded.reload()
  }
  const request = (what: What, name: string): void => {
    if (what !== 'disable') return void run(what, name)
    ask({
      title: words.disableTitle(plainText(name)),
      text: words.disableText,
      command: taskOf(what, name).command,
      label: words.disable,
      run: () => void run(what, name),
    })
  }
  return (
    <>
      <ViewHead title={strings.views.repositories}>
        <Button
          icon="restart"
          label={words.updateAll}
          busy={doing === 'update '}
          onClick={() => void run('update', null)}
        />
      </ViewHead>
      <AddForm onAdded={() => void loaded.reload()} />
      <Section id="repositories-title" title={words.title} note={words.note}>
        <Pane of={loaded}>{(rows) => <Rows {...{ rows, doing, request }} />}</Pane>
      </Section>
    </>
  )
}

function AddForm({ onAdded }: { onAdded(): void }) {
  const [name, setName] = useState('')
  const [branch, setBranch] = useState('')
  const [busy, setBusy] = useState(false)
  const [complaint, setComplaint] = useState<string | null>(null)
  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    const wanted = name.trim()
    if (wanted === '') return setComplaint(words.needed)
    setComplaint(null)
    setBusy(true)
    const tail = branch.trim() === '' ? '' : ` --branch ${shellWord(branch.trim())}`
    const done = await perform({
      ...{ method: 'POST', path: 'api/v1/repositories', command: `ploinky add repo ${shellWord(wanted)}${tail}` },
      ...{ done: words.didAdd(plainText(wanted)), failed: words.notAdded(plainText(wanted)) },
      body: { name: wanted, ...(branch.trim() === '' ? {} : { branch: branch.trim() }) },
    })
    setBusy(false)
    if (done === null) return
    setName('')
    onAdded()
  }
  return (
    <Section id="add-title" title={words.addTitle}>
      <form class="form-line" onSubmit={(event) => void (busy ? event.preventDefault() : submit(event))}>
        <TextField label={words.name} help={words.nameHelp} value={name} onChange={setName} />
        <TextField label={words.branch} value={branch} onChange={setBranch} />
        <button type="submit" class="button primary" aria-disabled={busy ? 'true' : undefined}>
          {words.add}
        </button>
      </form>
      <div role="alert">{complaint !== null && <p class="callout tone-bad">{complaint}</p>}</div>
    </Section>
  )
}

const TONES = { enabled: 'ok', missing: 'bad', disabled: 'idle', new: 'info' } as const

interface RowsProps {
  readonly rows: readonly Repository[]
  readonly doing: string | null
  request(what: What, name: string): void
}

function Rows({ rows, doing, request }: RowsProps) {
  const button = (what: What, name: string) => (
    <Button
      {...(what === 'disable' ? { kind: 'danger' as const } : {})}
      label={words[what]}
      name={words.of(words[what], plainText(name))}
      busy={doing === `${what} ${name}`}
      onClick={() => request(what, name)}
    />
  )
  return (
    <DataTable<Repository>
      label={words.title}
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { label: words.repository, show: ({ name }) => plainText(name), isHead: true },
        { label: words.state, show: ({ state }) => <Badge tone={TONES[state]}>{words.states[state]}</Badge> },
        { label: words.agents, show: ({ agents, state }) => (state === 'new' ? '' : agents) },
        {
          label: words.source,
          show: ({ source, builtIn }) =>
            builtIn ? <span class="muted">{words.builtIn}</span> : <Breakable text={source} />,
        },
        {
          label: all.actions,
          isActions: true,
          show: ({ name, state, builtIn }) => (
            <div>
              {!builtIn && state === 'enabled' && button('update', name)}
              {state !== 'enabled' && button('enable', name)}
              {!builtIn && (state === 'enabled' || state === 'missing') && button('disable', name)}
            </div>
          ),
        },
      ]}
    />
  )
}
