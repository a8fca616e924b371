import { describe, isObject } from './check.ts'
import type { Field, InputSchema } from './fields.ts'

type CheckedArguments = { ok: true; value: Record<string, unknown> } | { ok: false; message: string }

/** More than this many complaints help nobody. */
const MAX_PROBLEMS = 10

/**
 * Checks the arguments of a call. Unknown names are dropped, defaults are filled in, and nothing is converted: a number
 * in quotes is an error, because a tool that gets the wrong type fails later and less clearly.
 */
export function checkArguments(schema: InputSchema, value: unknown): CheckedArguments {
  return checkObject(schema, { value: value ?? {}, what: 'Invalid arguments' })
}

/** Checks what a tool wrote against its `outputSchema`; members that nobody declared are kept. */
export function checkOutput(schema: InputSchema, value: unknown): CheckedArguments {
  const additional = schema.additional === false ? true : schema.additional
  return checkObject({ ...schema, additional }, { value, what: 'The output does not match "outputSchema"' })
}

function checkObject(schema: InputSchema, { value, what }: { value: unknown; what: string }): CheckedArguments {
  if (!isObject(value)) return { ok: false, message: `${what}: expected an object, found ${describe(value)}` }
  const problems: string[] = []
  const checked = checkMembers(value, { members: schema.fields, additional: schema.additional, path: '', problems })
  if (problems.length === 0) return { ok: true, value: checked }
  const shown = problems.slice(0, MAX_PROBLEMS)
  const more = problems.length - shown.length
  return { ok: false, message: `${what}: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}` }
}

interface Members {
  members: ReadonlyMap<string, Field>
  additional: boolean | Field
  path: string
  problems: string[]
}

function checkMembers(value: object, { members, additional, path, problems }: Members): Record<string, unknown> {
  const given = new Map(Object.entries(value))
  const entries: [string, unknown][] = []
  for (const [name, field] of members) {
    const here = path === '' ? name : `${path}.${name}`
    const member = given.get(name)
    given.delete(name)
    if (member === undefined) {
      if (field.default !== undefined) entries.push([name, field.default])
      else if (!field.optional) problems.push(`"${here}" is missing (expected ${expectation(field)})`)
    } else if (member === null && field.optional && !field.nullable) {
      // Many clients send null for "not given".
      if (field.default !== undefined) entries.push([name, field.default])
    } else {
      entries.push([name, checkValue(member, field, { path: here, problems })])
    }
  }
  if (additional !== false) {
    for (const [name, member] of given) {
      const here = { path: path === '' ? name : `${path}.${name}`, problems }
      entries.push([name, additional === true ? member : checkValue(member, additional, here)])
    }
  }
  // Defines own properties, so a member called "__proto__" stays data.
  return Object.fromEntries(entries)
}

function checkValue(value: unknown, field: Field, at: { path: string; problems: string[] }): unknown {
  if (value === null && field.nullable) return null
  const complain = (expected: string): void => {
    at.problems.push(`"${at.path}" must be ${expected}, found ${describe(value)}`)
  }
  if (!hasType(value, field.type)) {
    complain(expectation(field))
    return value
  }
  if (field.enum !== undefined && !field.enum.some((entry) => entry === value)) {
    complain(
      `one of ${field.enum
        .map((entry) => JSON.stringify(entry))
        .join(', ')
        .slice(0, 400)}`,
    )
  }
  if (typeof value === 'string')
    checkRange(codePoints(value, field), { low: field.minLength, high: field.maxLength, what: 'characters', complain })
  if (typeof value === 'number') checkRange(value, { low: field.min, high: field.max, what: '', complain })
  if (Array.isArray(value)) {
    checkRange(value.length, { low: field.minItems, high: field.maxItems, what: 'items', complain })
    const items = field.items
    if (items === undefined) return value
    return value.map((item: unknown, index) =>
      checkValue(item, items, { path: `${at.path}[${index}]`, problems: at.problems }),
    )
  }
  if (isObject(value) && (field.properties !== undefined || field.additional !== true)) {
    return checkMembers(value, { members: field.properties ?? new Map(), additional: field.additional, ...at })
  }
  return value
}

function hasType(value: unknown, type: Field['type']): boolean {
  switch (type) {
    case 'any':
      return true
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/** JSON Schema counts code points; counting is skipped when no rule needs it. */
function codePoints(value: string, field: Field): number {
  return field.minLength === undefined && field.maxLength === undefined ? 0 : Array.from(value).length
}

function checkRange(
  size: number,
  rule: { low: number | undefined; high: number | undefined; what: string; complain: (expected: string) => void },
): void {
  const unit = rule.what === '' ? '' : ` ${rule.what}`
  if (rule.low !== undefined && size < rule.low) rule.complain(`at least ${rule.low}${unit}`)
  else if (rule.high !== undefined && size > rule.high) rule.complain(`at most ${rule.high}${unit}`)
}

function expectation(field: Field): string {
  const article = /^[aeiou]/.test(field.type) ? 'an' : 'a'
  const name = field.type === 'any' ? 'a value' : `${article} ${field.type}`
  return field.nullable ? `${name} or null` : name
}
