/** Tells when the page's colours change: by the system, or by the button of a page. */
import { signal } from '@preact/signals'

export const colourChanges = signal(0)

export function followColours(): void {
  const changed = (): void => {
    colourChanges.value += 1
  }
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)']) {
    matchMedia(query).addEventListener('change', changed)
  }
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ['data-theme'] })
}
