/** A command as a form: one field for each param, the line that says the same, and what is still missing. */
import { useId } from 'preact/hooks'
import type { CommandEntry, CommandParam, Values } from './command-model.ts'
import { splitWords } from './command-model.ts'
import { strings } from './strings.ts'

export interface FieldsProps {
  readonly command: CommandEntry
  readonly values: Values
  /** Names that a param may take, by its `complete`. */
  readonly names: Readonly<Record<string, readonly string[]>>
  onChange(values: Values): void
}

export function CommandFields({ command, values, names, onChange }: FieldsProps) {
  return (
    <div class="form">
      {command.params.map((param, index) => (
        <Field
          key={param.name}
          param={param}
          value={values[param.name]}
          isFirst={index === 0}
          options={param.choices.length > 0 ? param.choices : (names[param.complete ?? ''] ?? [])}
          onChange={(value) => onChange({ ...values, [param.name]: value })}
        />
      ))}
    </div>
  )
}

interface FieldProps {
  readonly param: CommandParam
  readonly value: Values[string] | undefined
  readonly options: readonly string[]
  readonly isFirst: boolean
  onChange(value: Values[string]): void
}

function Field({ param, value, options, isFirst, onChange }: FieldProps) {
  const id = useId()
  if (param.type === 'boolean') {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === true}
          autoFocus={isFirst}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
        <span>
          <code>{param.name}</code> <span class="muted small">{param.summary}</span>
        </span>
      </label>
    )
  }
  return (
    <div class="form-row">
      <label for={id}>
        <code>{param.name}</code>
        {!param.required && <span class="muted small"> {strings.optional}</span>}
      </label>
      <Input id={id} param={param} value={value} options={options} isFirst={isFirst} onChange={onChange} />
      <p class="muted small" id={`${id}-help`}>
        {param.summary}
      </p>
    </div>
  )
}

function Input({ id, param, value, options, isFirst, onChange }: FieldProps & { id: string }) {
  if (param.choices.length > 0) {
    return (
      <select
        id={id}
        class="field"
        aria-describedby={`${id}-help`}
        autoFocus={isFirst}
        value={String(value ?? '')}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        <option value="" />
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    )
  }
  const isNumber = param.type === 'integer' || param.type === 'port'
  const common = {
    ...({
      id,
      class: 'field',
      inputMode: isNumber ? 'numeric' : 'text',
      autoCapitalize: 'none',
      spellcheck: false,
    } as const),
    ...{ required: param.required, 'aria-describedby': `${id}-help`, autoFocus: isFirst },
    value: typeof value === 'string' ? value : Array.isArray(value) ? value.join(' ') : '',
    onInput: (event: { currentTarget: HTMLInputElement }) => onChange(event.currentTarget.value),
  }
  if (param.secret) return <input {...common} type="password" autoComplete="new-password" />
  return (
    <>
      <input {...common} type="text" autoComplete="off" {...(options.length > 0 ? { list: `${id}-names` } : {})} />
      {options.length > 0 && (
        <datalist id={`${id}-names`}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  )
}

/** Words of a `rest` are text while they are typed. */
export function finished(command: CommandEntry, values: Values): Values {
  const entries = command.params.map(({ name, type }) => {
    const value = values[name]
    return [name, type === 'rest' && typeof value === 'string' ? splitWords(value) : value]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Values
}
