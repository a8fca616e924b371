/** Variables and secrets: which there are, where they come from and who uses them. Values go in and never come out. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText, shellWord } from '../../shared/format.ts'
import { Button } from '../../shared/ui.tsx'
import { ask } from '../ask.tsx'
import { perform, useLoad } from '../do.ts'
import { TextField } from '../field.tsx'
import { ViewHead } from '../head.tsx'
import { Nothing, Pane, Section } from '../pane.tsx'
import { hrefOf } from '../route.ts'
import { strings } from '../strings.ts'
import type { ViewProps } from '../view.ts'
import { words as all } from './manage-strings.ts'

const words = all.variables

interface Variable {
  readonly name: string
  readonly from: string
  readonly usedBy: readonly string[]
}

const readVariables = (body: unknown): Variable[] =>
  listOf(body).map((item) => {
    const { name, from, usedBy } = asRecord(item)
    const agents = textOr(usedBy, '').split(' ')
    return {
      name: textOr(name, ''),
      from: plainText(textOr(from, '')),
      usedBy: agents.filter((agent) => agent !== ''),
    }
  })

const pathOf = (name: string): string => `api/v1/variables/${encodeURIComponent(name)}`

export function View({ query }: ViewProps) {
  const loaded = useLoad('api/v1/variables?used=true', readVariables, {
    on: /^(?:variable|agent\.(?:enabled|disabled))/,
  })
  const [name, setName] = useState(query.get('set') ?? '')
  const field = useRef<HTMLInputElement>(null)
  return (
    <>
      <ViewHead title={strings.views.variables} />
      <SetForm {...{ name, setName, field }} onSet={() => void loaded.reload()} />
      <Section id="variables-title" title={words.title}>
        <Pane of={loaded}>
          {(variables) =>
            variables.length === 0 ? (
              <Nothing {...words.empty} />
            ) : (
              <Known
                variables={variables}
                onChange={(chosen) => {
                  setName(chosen)
                  field.current?.focus()
                }}
                onRemoved={() => void loaded.reload()}
              />
            )
          }
        </Pane>
      </Section>
    </>
  )
}

interface SetProps {
  readonly name: string
  readonly field: { current: HTMLInputElement | null }
  setName(name: string): void
  onSet(): void
}

function SetForm({ name, field, setName, onSet }: SetProps) {
  const [complaint, setComplaint] = useState<string | null>(null)
  const valueId = useId()
  useEffect(() => {
    if (name !== '') field.current?.focus()
  }, [])
  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    const value = field.current?.value ?? ''
    if (name.trim() === '' || value === '')
      return setComplaint(name.trim() === '' ? words.nameNeeded : words.valueNeeded)
    setComplaint(null)
    const label = plainText(name.trim())
    const done = await perform({
      ...{
        method: 'PUT',
        path: pathOf(name.trim()),
        body: { value },
        command: `ploinky var ${shellWord(name.trim())}`,
      },
      ...{ done: words.didSet(label), failed: words.notSet(label) },
    })
    if (done === null) return
    // The value is in no state of the page: the field is its only place, and is emptied.
    if (field.current !== null) field.current.value = ''
    setName('')
    onSet()
  }
  return (
    <Section id="set-title" title={words.setTitle} note={words.note}>
      <form class="form-line" onSubmit={(event) => void submit(event)}>
        <TextField
          label={words.name}
          help={words.nameHelp}
          autoCapitalize="characters"
          value={name}
          onChange={setName}
        />
        <div class="form-row">
          <label for={valueId}>{words.value}</label>
          <input
            id={valueId}
            ref={field}
            class="field"
            type="password"
            autoComplete="new-password"
            aria-describedby={`${valueId}-help`}
          />
          <p id={`${valueId}-help`} class="muted small">
            {words.valueHelp}
          </p>
        </div>
        <button type="submit" class="button primary">
          {words.set}
        </button>
      </form>
      <div role="alert">{complaint !== null && <p class="callout tone-bad">{complaint}</p>}</div>
    </Section>
  )
}

function Known(props: { variables: readonly Variable[]; onChange(name: string): void; onRemoved(): void }) {
  const remove = async (name: string): Promise<void> => {
    const label = plainText(name)
    await perform({
      ...{
        method: 'PUT',
        path: pathOf(name),
        body: { unset: true },
        command: `ploinky var ${shellWord(name)} --unset`,
      },
      ...{ done: words.removed(label), failed: words.notRemoved(label) },
    })
    props.onRemoved()
  }
  return (
    <DataTable<Variable>
      label={words.title}
      rows={props.variables}
      keyOf={({ name }) => name}
      columns={[
        { label: words.name, show: ({ name }) => <code>{plainText(name)}</code>, isHead: true },
        { label: words.from, show: ({ from }) => from },
        {
          label: words.usedBy,
          show: ({ usedBy }) =>
            usedBy.length === 0 ? (
              <span class="muted">{words.nobody}</span>
            ) : (
              usedBy.map((agent, index) => [
                index > 0 && ', ',
                <a href={hrefOf('agents', agent)}>{plainText(agent)}</a>,
              ])
            ),
        },
        {
          label: all.actions,
          isActions: true,
          show: ({ name, from }) => (
            <div>
              <Button
                label={words.change}
                name={words.changeOf(plainText(name))}
                onClick={() => props.onChange(name)}
              />
              {from.includes('.secrets') && (
                <Button
                  kind="danger"
                  label={words.remove}
                  name={words.removeOf(plainText(name))}
                  onClick={() =>
                    ask({
                      title: words.removeTitle(plainText(name)),
                      text: words.removeText,
                      command: `ploinky var ${shellWord(name)} --unset`,
                      label: words.remove,
                      run: () => void remove(name),
                    })
                  }
                />
              )}
            </div>
          ),
        },
      ]}
    />
  )
}
