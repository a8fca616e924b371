/** The keyboard of a phone covers the page instead of making it smaller: the page takes what is left in sight. */
export function fitVisualViewport(): void {
  const { visualViewport } = window
  if (visualViewport === null) return
  const fit = (): void => {
    // Zoomed in with two fingers, less is in sight on purpose.
    if (visualViewport.scale > 1.01) return
    // A window that is being opened or put away has no height: nothing would be in sight once it has.
    if (visualViewport.height < 1) return
    document.documentElement.style.setProperty('--viewport', `${Math.round(visualViewport.height)}px`)
    if (window.scrollY !== 0) window.scrollTo(0, 0)
  }
  visualViewport.addEventListener('resize', fit)
  fit()
}
