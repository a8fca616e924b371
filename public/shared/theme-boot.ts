/** Runs before the first paint (a small classic script in the head), so that a chosen scheme never flashes, and no missing part is missed. */
import { watchParts } from './load-again.ts'
import { applyTheme, savedTheme } from './theme.ts'

watchParts()
applyTheme(savedTheme())
