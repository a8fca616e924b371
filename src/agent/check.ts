/** One thing that is wrong in a configuration file, precise enough to fix it without reading the documentation. */
export interface ConfigIssue {
  /** Key path such as `tools[2].inputSchema.city.type`; the empty string is the document itself. */
  path: string
  found: string
  expected: string
  hint: string
}

/** Collects what is wrong while a document is read, so that one pass reports everything. */
export interface Issues {
  errors: ConfigIssue[]
  warnings: ConfigIssue[]
}

/** A place in the document: its key path and where to report. */
export interface Place {
  path: string
  issues: Issues
}

export type JsonObject = Record<string, unknown>

/** The place of `key` below `place`. */
export function at(place: Place, key: string | number): Place {
  const step =
    typeof key === 'number' ? `[${key}]` : /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
  return { path: place.path === '' ? step.replace(/^\./, '') : place.path + step, issues: place.issues }
}

/** Reports an error at `place`. */
export function fail(place: Place, issue: Omit<ConfigIssue, 'path'>): void {
  place.issues.errors.push({ path: place.path, ...issue })
}

/** Reports a warning at `place`: the document is usable, but probably not what its author meant. */
export function warn(place: Place, issue: Omit<ConfigIssue, 'path'>): void {
  place.issues.warnings.push({ path: place.path, ...issue })
}

/** A short, printable account of a value: never more than about 60 characters of foreign text. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads an own property; a name such as `constructor` never reaches the prototype. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Warns about keys that nothing reads, naming the nearest known key. */
export function checkKeys(object: JsonObject, known: readonly string[], place: Place): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    warn(at(place, key), {
      found: 'an unknown field',
      expected: `one of: ${known.join(', ')}`,
      hint: near === undefined ? `Remove "${clip(key)}"; it has no effect` : `Did you mean "${near}"?`,
    })
  }
}

interface StringRule {
  required?: boolean
  maxLength?: number
  pattern?: RegExp
  expected?: string
  hint?: string
}

/** Reads a string; reports and returns `undefined` when it is missing (if required), no string, or against the rule. */
export function readString(
  object: JsonObject,
  key: string,
  options: { place: Place } & StringRule,
): string | undefined {
  const value = own(object, key)
  const place = at(options.place, key)
  const expected = options.expected ?? 'a string'
  const hint = options.hint ?? `Write "${key}" as ${expected}`
  if (value === undefined || value === null) {
    if (options.required === true) fail(place, { found: describe(value), expected, hint })
    return undefined
  }
  const max = options.maxLength ?? 4096
  if (
    typeof value !== 'string' ||
    value.includes('\0') ||
    value.length > max ||
    options.pattern?.test(value) === false
  ) {
    const found = typeof value === 'string' && value.length > max ? `${value.length} characters` : describe(value)
    fail(place, {
      found,
      expected: typeof value === 'string' && value.length > max ? `at most ${max} characters` : expected,
      hint,
    })
    return undefined
  }
  return value
}

/** Reads a finite number, an integer unless `fraction` is set, within the bounds. */
export function readNumber(
  object: JsonObject,
  key: string,
  options: { place: Place; min?: number; max?: number; fraction?: boolean },
): number | undefined {
  const value = own(object, key)
  if (value === undefined || value === null) return undefined
  const { min, max, fraction } = options
  const kind = fraction === true ? 'a number' : 'a whole number'
  const bounds = min === undefined ? '' : max === undefined ? ` of at least ${min}` : ` between ${min} and ${max}`
  const isNumber = typeof value === 'number' && Number.isFinite(value) && (fraction === true || Number.isInteger(value))
  if (isNumber && (min === undefined || value >= min) && (max === undefined || value <= max)) return value
  const quoted = typeof value === 'string' ? ', without quotes' : ''
  fail(at(options.place, key), {
    found: describe(value),
    expected: kind + bounds,
    hint: `Write "${key}" as ${kind}${bounds}${quoted}`,
  })
  return undefined
}

/** Reads `true` or `false`. */
export function readBoolean(object: JsonObject, key: string, place: Place): boolean | undefined {
  const value = own(object, key)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  fail(at(place, key), {
    found: describe(value),
    expected: 'true or false',
    hint: `Write "${key}" as true or false, without quotes`,
  })
  return undefined
}

/** Reads an array of objects of at most `max` entries; entries of another type are reported and skipped. */
export function readList(
  object: JsonObject,
  key: string,
  options: { place: Place; max: number },
): [JsonObject, Place][] {
  const value = own(object, key)
  if (value === undefined || value === null) return []
  const place = at(options.place, key)
  if (!Array.isArray(value)) {
    fail(place, { found: describe(value), expected: 'an array of objects', hint: `Write "${key}" as [ { ... } ]` })
    return []
  }
  if (value.length > options.max) {
    fail(place, {
      found: `${value.length} entries`,
      expected: `at most ${options.max} entries`,
      hint: 'Split the agent into several agents',
    })
    return []
  }
  const entries: [JsonObject, Place][] = []
  value.forEach((entry: unknown, index) => {
    const where = at(place, index)
    if (isObject(entry)) entries.push([entry, where])
    else fail(where, { found: describe(entry), expected: 'an object', hint: 'Write the entry as { "name": ... }' })
  })
  return entries
}

/** The known word that differs least from `word`, when it is close enough to be a slip. */
function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase().slice(0, 40), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}
