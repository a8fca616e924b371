/** `{{WORKSPACE_ROOT}}`, `{{secret:NAME}}`: what stands in a template. Pure. */
import { nearest } from '../../core/id.ts'

export interface Placeholder {
  /** As written. */
  readonly text: string
  readonly kind: string
  /** What follows the colon; null without one. */
  readonly name: string | null
}

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g

const PLACES = ['WORKSPACE_ROOT', 'PLOINKY_WORKSPACE_ROOT', 'STORAGE_CONTAINER_PATH', 'STORAGE_HOST_PATH'] as const
const KINDS = ['secret', 'var', 'derivedMasterSecret', 'generatedSecret'] as const
export type Place = (typeof PLACES)[number]
export type Kind = (typeof KINDS)[number]

function toPlaceholder(text: string, inner: string): Placeholder {
  const colon = inner.indexOf(':')
  if (colon < 0) return { text, kind: inner.trim(), name: null }
  return { text, kind: inner.slice(0, colon).trim(), name: inner.slice(colon + 1).trim() }
}

export const placeholdersOf = (template: string): Placeholder[] =>
  [...template.matchAll(PLACEHOLDER)].map(([text, inner = '']) => toPlaceholder(text, inner))

/** The template with every placeholder replaced in one pass: what a value holds is never looked at again. */
export const replacePlaceholders = (template: string, replace: (placeholder: Placeholder) => string): string =>
  template.replace(PLACEHOLDER, (text, inner: string) => replace(toPlaceholder(text, inner)))

export const isPlace = (kind: string): kind is Place => (PLACES as readonly string[]).includes(kind)
export const isKind = (kind: string): kind is Kind => (KINDS as readonly string[]).includes(kind)

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)

/** What is wrong with a template as it is written; empty when nothing is. */
export function templateProblems(template: string): string[] {
  const problems = placeholdersOf(template).flatMap(({ text, kind, name }) => {
    const known = name === null ? isPlace(kind) : isKind(kind)
    if (known && name !== '') return []
    if (known) return [`${shown(text)} names nothing; write {{${kind}:NAME}}`]
    return [`unknown placeholder ${shown(text)}${suggestion(kind, name)}`]
  })
  const rest = template.replace(PLACEHOLDER, '')
  return rest.includes('{{') ? [...problems, 'a placeholder that begins with "{{" is not closed'] : problems
}

function suggestion(kind: string, name: string | null): string {
  if (name === null && isKind(kind)) return `, did you mean "{{${kind}:NAME}}"?`
  const near = nearest(kind, name === null ? [...PLACES, ...KINDS] : KINDS)
  if (near === null) return `; known are ${[...PLACES, ...KINDS.map((known) => `${known}:NAME`)].join(', ')}`
  return `, did you mean "{{${near}${isKind(near) ? `:${name ?? 'NAME'}` : ''}}}"?`
}
