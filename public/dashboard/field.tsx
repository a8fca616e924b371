/** A line of text with its label, and what helps to fill it in. */
import { useId } from 'preact/hooks'
import type { InputHTMLAttributes } from 'preact'

export interface TextFieldProps extends Pick<
  InputHTMLAttributes<HTMLInputElement>,
  'autoCapitalize' | 'placeholder' | 'title'
> {
  readonly label: string
  readonly help?: string
  readonly value: string
  onChange(value: string): void
}

export function TextField({ label, help, value, onChange, ...rest }: TextFieldProps) {
  const id = useId()
  return (
    <div class="form-row">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="field"
        autoComplete="off"
        spellcheck={false}
        {...(help === undefined ? {} : { 'aria-describedby': `${id}-help` })}
        {...rest}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      {help !== undefined && (
        <p id={`${id}-help`} class="muted small">
          {help}
        </p>
      )}
    </div>
  )
}
