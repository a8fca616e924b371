/** What pages are sent with: what they may load, and what may be done with them. */

const policy = (scripts: string): string =>
  `default-src 'none'; script-src ${scripts}; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`

const HEADERS = {
  'content-security-policy': policy("'self'"),
  // Not `no-referrer`: with it browsers send `Origin: null` with a form, which the guard refuses.
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}
/** The decoder of pictures in terminals is WebAssembly. This lets scripts compile it, and nothing more: no `eval`. */
const TERMINAL_HEADERS = { ...HEADERS, 'content-security-policy': policy("'self' 'wasm-unsafe-eval'") }

/** `path`: of the page or its file, below the folder of pages. */
export const pageHeaders = (path: string): Readonly<Record<string, string>> =>
  path.startsWith('webtty/') ? TERMINAL_HEADERS : HEADERS
