/** Where to go after signing in: a page of this router and nothing else, whatever the address says. */
export function nextPage(search: string, current: string, fallback: string): string {
  const wanted = new URLSearchParams(search).get('returnTo')
  if (wanted === null) return fallback
  try {
    const target = new URL(wanted, current)
    const here = new URL(current)
    const isOurs = target.origin === here.origin && /^https?:$/.test(target.protocol)
    return isOurs && target.pathname !== here.pathname ? target.href : fallback
  } catch {
    // Not an address at all.
    return fallback
  }
}
