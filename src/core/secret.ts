/**
 * A value that must not be printed. It shows as `[redacted]` in templates, JSON and inspection;
 * only `reveal()` gives the text, so every leak is a visible call.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]'
  }

  [Symbol.for('Deno.customInspect')](): string {
    return '[redacted]'
  }
}

export type MaybeSecret = string | Secret

export const revealed = (value: MaybeSecret): string => (typeof value === 'string' ? value : value.reveal())
