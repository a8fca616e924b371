/** A few choices side by side, one of them taken: buttons of one group. */
export interface ChoiceProps<Key extends string> {
  readonly label: string
  readonly value: Key
  readonly options: readonly (readonly [Key, string])[]
  onChange(value: Key): void
}

export function Choice<Key extends string>({ label, value, options, onChange }: ChoiceProps<Key>) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([key, name]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {name}
        </button>
      ))}
    </div>
  )
}
