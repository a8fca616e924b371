/** Whether a URI can come from a template (RFC 6570); for finding whose it is, the agent itself looks closer. */

/** `{id}` expands to one segment; `{+path}`, `{/path*}` and the others to anything. */
const isSegment = (expression: string): boolean => /^[A-Za-z0-9_%.,]+$/.test(expression)

/** One pass from left to right: templates come from agents, and a pattern of theirs could be made to take for ever. */
export function matchesTemplate(template: string, uri: string): boolean {
  const parts = template.split(/\{([^{}]*)\}/)
  const first = parts[0] ?? ''
  if (parts.length === 1) return template === uri
  if (!uri.startsWith(first)) return false
  let at = first.length
  for (let index = 2; index < parts.length; index += 2) {
    const literal = parts[index] ?? ''
    const isLast = index === parts.length - 1
    const found = isLast ? uri.length - literal.length : uri.indexOf(literal, at)
    if (found < at || !uri.startsWith(literal, found)) return false
    if (isSegment(parts[index - 1] ?? '') && /[/?#]/.test(uri.slice(at, found))) return false
    at = found + literal.length
  }
  return true
}

/** `demo` of `demo://about`; null when there is none. */
export const schemeOf = (uri: string): string | null =>
  /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase() ?? null
