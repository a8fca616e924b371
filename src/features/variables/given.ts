/** Names and values as people give them. Pure. */
import { PloinkyError } from '../../core/error.ts'
import { nearest } from '../../core/id.ts'
import { asLiteral } from './lookup.ts'
import { isReserved, isVariableName } from './names.ts'

/** How a value was given: as a word, where `$NAME` is another variable, or as text that means only itself. */
export type Given = { readonly word: string } | { readonly text: string }

/** What is kept under a name: a reference stays one, text that looks like one is marked. */
export const kept = (given: Given): string => ('word' in given ? given.word : asLiteral(given.text))

/** NAME_INVALID for what is no name, and for the workspace's own. */
export function assertSettable(name: string): void {
  if (!isVariableName(name)) {
    throw new PloinkyError('NAME_INVALID', `Not the name of a variable: ${JSON.stringify(name.slice(0, 80))}`, {
      hint: 'Use letters, digits and "_", not starting with a digit',
    })
  }
  if (!isReserved(name)) return
  throw new PloinkyError(
    'NAME_INVALID',
    `"${name}" is the workspace's own: names that begin with PLOINKY_ are reserved`,
    {
      hint: 'Use another name; settings are changed with: ploinky config',
    },
  )
}

export function unknownVariable(name: string, known: readonly string[]): PloinkyError {
  const near = nearest(name, known)
  return new PloinkyError('CONFIG_INVALID', `Variable "${name}" is not set`, {
    hint: near === null ? `Run: ploinky var ${name} <value>` : `Did you mean "${near}"? All: ploinky vars`,
    details: { variable: name },
  })
}
