/**
 * Lets xterm style itself under a policy without `unsafe-inline` and without a nonce. It makes `<style>` elements and sets
 * `style` attributes, which the policy refuses when they come as text; the same rules as objects of the CSSOM pass.
 * See xtermjs/xterm.js#4445.
 */
export function allowTerminalStyles(page: Document = document): void {
  const create = page.createElement.bind(page)
  page.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === 'style' ? sheetElement(page, create) : create(name, options)) as typeof page.createElement
  patchStyleAttribute()
}

/** An element without looks whose text is a constructed style sheet of the page for as long as it is kept. */
function sheetElement(page: Document, create: (name: string) => HTMLElement): HTMLElement {
  const element = create('template')
  const sheet = new CSSStyleSheet()
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet]
  let text = ''
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set(value: string) {
      text = value
      sheet.replaceSync(value)
    },
  })
  element.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((kept) => kept !== sheet)
    Element.prototype.remove.call(element)
  }
  return element
}

/** Cells in true colour have a style of their own, set as an attribute of a `span`. */
function patchStyleAttribute(): void {
  const set = Element.prototype.setAttribute
  HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
    if (name === 'style') this.style.cssText = value
    else set.call(this, name, value)
  }
}
