/** The parts of the page between which Ctrl+F6 moves: a terminal keeps Tab for its program. */

/** Each `data-region` is one; the focus goes to what it marks as its entry, or to the first thing in it that takes it. */
export function nextRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (one) => one.offsetParent !== null,
  )
  if (regions.length === 0) return
  const current = regions.findIndex((region) => region.contains(document.activeElement))
  const next = regions[(current + step + regions.length) % regions.length]
  const entry = next?.querySelector<HTMLElement>('.xterm-helper-textarea, [aria-selected=true], button, input, a[href]')
  entry?.focus()
}
