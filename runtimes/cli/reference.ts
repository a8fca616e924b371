/** Image references: refused before they can be read as a flag, and made complete for engines that would ask. */
import { PloinkyError } from '../../src/core/error.ts'

/** Characters of the distribution reference grammar (name, tag, digest); never starting with "-". */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/:@[\]-]{0,511}$/

/** Throws CONFIG_INVALID for text that cannot be an image reference. */
export function assertReference(reference: string): string {
  if (REFERENCE.test(reference)) return reference
  throw new PloinkyError('CONFIG_INVALID', `Invalid image reference: ${JSON.stringify(reference.slice(0, 120))}`, {
    hint: 'Use a reference such as docker.io/library/alpine:3',
    details: { image: reference.slice(0, 120) },
  })
}

/** docker's rule: without a host in front, an image is on Docker Hub, and one word is an official image. */
export function qualifyReference(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  if (rest.length === 0) return `docker.io/library/${reference}`
  if (first.includes('.') || first.includes(':') || first === 'localhost') return reference
  return `docker.io/${reference}`
}
