/** OSC 52: a program asks for the clipboard. It may write after consent; reading is never possible. */
export type ClipboardRequest = { readonly kind: 'write'; readonly text: string } | { readonly kind: 'refused' }

const MAX_ENCODED = 1024 * 1024

/** `data` is what follows `52;`: targets, a semicolon, and base64 or `?`. */
export function parseClipboardRequest(data: string): ClipboardRequest {
  const at = data.indexOf(';')
  const encoded = at < 0 ? '' : data.slice(at + 1)
  if (at < 0 || at > 16 || encoded === '' || encoded === '?' || encoded.length > MAX_ENCODED) return { kind: 'refused' }
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    // Pasted into another terminal, control characters would act; line ends and tabs are text.
    return { kind: 'write', text: text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '') }
  } catch {
    return { kind: 'refused' }
  }
}
