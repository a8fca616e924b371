/** The form of a schema: nested objects, lists, choices, and JSON where there is no better field. */
import { useId } from 'preact/hooks'
import { plainText } from '../../shared/format.ts'
import { Button } from '../../shared/ui.tsx'
import type { Draft, FieldSpec } from './schema.ts'
import { draftOf } from './schema.ts'
import { words } from './strings.ts'

type Drafts = { readonly [name: string]: Draft }

export interface FormProps {
  readonly fields: readonly FieldSpec[]
  readonly drafts: Drafts
  onChange(drafts: Drafts): void
}

export function SchemaForm({ fields, drafts, onChange }: FormProps) {
  return (
    <div class="form">
      {fields.map((field) => (
        <SchemaField
          key={field.name}
          field={field}
          label={field.label}
          draft={drafts[field.name]}
          onChange={(draft) => onChange({ ...drafts, [field.name]: draft })}
        />
      ))}
    </div>
  )
}

interface FieldProps {
  readonly field: FieldSpec
  readonly label: string
  readonly draft: Draft
  onChange(draft: Draft): void
}

function SchemaField(props: FieldProps) {
  const { field, draft, label, onChange } = props
  const id = useId()
  if (field.kind === 'object') {
    return (
      <fieldset class="nested">
        <Legend field={field} label={label} />
        <SchemaForm fields={field.fields} drafts={(draft ?? {}) as Drafts} onChange={onChange} />
      </fieldset>
    )
  }
  if (field.kind === 'list') return <ListField {...props} />
  return (
    <div class="form-row">
      <label for={id}>
        {label}
        {field.required && (
          <span class="required" aria-hidden="true">
            {' *'}
          </span>
        )}
        <span class="muted small"> {field.kind === 'choice' || field.kind === 'text' ? '' : field.kind}</span>
      </label>
      <Control {...props} id={id} />
      {field.about !== '' && (
        <p class="muted small" id={`${id}-help`}>
          {field.about}
        </p>
      )}
    </div>
  )
}

function Legend({ field, label }: { field: FieldSpec; label: string }) {
  return (
    <legend>
      {label}
      {field.about !== '' && <span class="muted small"> {field.about}</span>}
    </legend>
  )
}

function ListField({ field, draft, label, onChange }: FieldProps) {
  const { element } = field
  const items = Array.isArray(draft) ? (draft as readonly Draft[]) : []
  if (element === null) return null
  return (
    <fieldset class="nested">
      <Legend field={field} label={label} />
      {items.map((item, index) => (
        <div key={index} class="list-item">
          <SchemaField
            field={element}
            label={words.item(index + 1)}
            draft={item}
            onChange={(next) => onChange(items.map((other, at) => (at === index ? next : other)))}
          />
          <Button
            iconOnly
            kind="quiet"
            icon="remove"
            label={words.removeItem(label, index + 1)}
            onClick={() => onChange(items.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button
        icon="add"
        label={words.add(label)}
        onClick={() => onChange([...items, draftOf(element, element.initial)])}
      />
    </fieldset>
  )
}

function Control({ field, draft, id, onChange }: FieldProps & { id: string }) {
  const described = { 'aria-describedby': field.about === '' ? undefined : `${id}-help` }
  const text = typeof draft === 'string' ? draft : ''
  if (field.kind === 'boolean' || field.kind === 'choice') {
    const options =
      field.kind === 'boolean'
        ? [
            ['true', words.on],
            ['false', words.off],
          ]
        : field.choices.map((choice) => [
            JSON.stringify(choice),
            plainText(typeof choice === 'string' ? choice : JSON.stringify(choice)),
          ])
    const value = field.kind === 'boolean' ? (draft === undefined ? '' : String(draft === true)) : text
    return (
      <select
        id={id}
        class="field"
        {...described}
        value={value}
        onChange={({ currentTarget: { value: next } }) =>
          onChange(next === '' ? undefined : field.kind === 'boolean' ? next === 'true' : next)
        }
      >
        <option value="">{words.unset}</option>
        {options.map(([key = '', name = '']) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    )
  }
  const common = {
    ...{ id, class: 'field', spellcheck: false, autoComplete: 'off', required: field.required, ...described },
    value: text,
    onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => onChange(event.currentTarget.value),
  }
  if (field.kind === 'json' || field.isLong) return <textarea {...common} rows={field.kind === 'json' ? 4 : 3} />
  if (field.isSecret) return <input {...common} type="password" />
  // Not type=number: it hides what was typed wrongly, and changes it with the wheel.
  return <input {...common} type="text" inputMode={field.kind === 'text' ? 'text' : 'decimal'} />
}
