/**
 * The part of RFC 6570 that resource templates use: literal text and `{name}` (one path segment) or a last `{+name}`
 * (the rest). Matching is a single pass over the address, so neither a template nor an address can make it slow.
 */
export interface UriTemplate {
  names: readonly string[]
  /** The variables of a matching address, percent-decoded; `undefined` when it does not match. */
  match: (uri: string) => Record<string, string> | undefined
}

interface Part {
  literal: string
  name?: string
  rest?: boolean
}

/** Parses a template; returns a sentence that says what is wrong when it cannot be used. */
export function parseUriTemplate(template: string): UriTemplate | string {
  const parts: Part[] = []
  let from = 0
  for (const found of template.matchAll(/\{(\+?)([^{}]*)\}/g)) {
    const name = found[2] ?? ''
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `"{${name.slice(0, 40)}}" is not a variable name`
    const literal = template.slice(from, found.index)
    if (literal === '') return `"{${name}}" needs text in front of it`
    if (parts.some((part) => part.name === name)) return `"{${name}}" appears twice`
    if (parts.at(-1)?.rest === true) return '"{+name}" must be the end of the template'
    parts.push({ literal, name, rest: found[1] === '+' })
    from = found.index + found[0].length
  }
  const tail = template.slice(from)
  if (/[{}]/.test(tail) || parts.some((part) => /[{}]/.test(part.literal))) return 'a brace is not closed'
  if (parts.length === 0) return 'the template has no variable'
  if (tail !== '' && parts.at(-1)?.rest === true) return '"{+name}" must be the end of the template'
  parts.push({ literal: tail })
  return { names: parts.flatMap((part) => part.name ?? []), match: (uri: string) => matchParts(parts, uri) }
}

function matchParts(parts: readonly Part[], uri: string): Record<string, string> | undefined {
  const values: [string, string][] = []
  let position = 0
  for (const [index, { literal, name, rest }] of parts.entries()) {
    if (!uri.startsWith(literal, position)) return undefined
    position += literal.length
    if (name === undefined) break
    const next = parts[index + 1]?.literal ?? ''
    const end = next === '' ? uri.length : uri.indexOf(next, position)
    const raw = uri.slice(position, end === -1 ? position : end)
    if (raw === '' || (rest !== true && raw.includes('/'))) return undefined
    const value = decode(raw)
    if (value === undefined) return undefined
    values.push([name, value])
    position += raw.length
  }
  return position === uri.length ? Object.fromEntries(values) : undefined
}

function decode(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text)
    return value.includes('\0') ? undefined : value
  } catch {
    // A stray percent sign: the address is not one of ours.
    return undefined
  }
}
