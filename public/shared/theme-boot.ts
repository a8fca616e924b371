/** Runs before the first paint (a small classic script in the head), so that a chosen scheme never flashes. */
import { applyTheme, savedTheme } from './theme.ts'

applyTheme(savedTheme())
