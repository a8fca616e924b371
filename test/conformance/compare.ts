/** What a server shows directly, beside what is left of it through the router. */

interface Check {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly errorMessage?: string
}

/** Checks by scenario. */
export type Scenarios = ReadonlyMap<string, readonly Check[]>

export interface Comparison {
  /** Required scenarios that the server passes and that fail, or are missing, through the router. */
  readonly lost: readonly string[]
  /** Checks of any scenario that came out differently, as sentences. */
  readonly different: readonly string[]
  /** Checks that were compared. */
  readonly checks: number
}

const isPassed = (checks: readonly Check[] | undefined): boolean =>
  checks !== undefined && checks.length > 0 && checks.every(({ status }) => status !== 'FAILURE')

/** Outcomes by check; one check may be made several times in a scenario. Notes on the traffic are not outcomes. */
function outcomes(checks: readonly Check[]): Map<string, string> {
  const found = new Map<string, string[]>()
  for (const { id, name, status } of checks) {
    if (status === 'INFO') continue
    const key = `${id} (${name})`
    found.set(key, [...(found.get(key) ?? []), status])
  }
  return new Map([...found].map(([key, all]) => [key, all.join(', ')]))
}

export function compare(direct: Scenarios, routed: Scenarios, required: readonly string[]): Comparison {
  const lost = required.filter((name) => isPassed(direct.get(name)) && !isPassed(routed.get(name)))
  const different: string[] = []
  let checks = 0
  for (const name of new Set([...direct.keys(), ...routed.keys()])) {
    const [before, after] = [outcomes(direct.get(name) ?? []), outcomes(routed.get(name) ?? [])]
    for (const check of new Set([...before.keys(), ...after.keys()])) {
      checks += 1
      const [was, is] = [before.get(check) ?? 'not made', after.get(check) ?? 'not made']
      if (was === is) continue
      const reason = routed.get(name)?.find(({ id, status }) => check.startsWith(`${id} `) && status === 'FAILURE')
      different.push(`${name}: ${check} was ${was}, is ${is}${reason?.errorMessage ? `: ${reason.errorMessage}` : ''}`)
    }
  }
  return { lost, different, checks }
}
