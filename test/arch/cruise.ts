import { cruise, type ICruiseResult } from 'dependency-cruiser'
import config, { rules } from './layers.config.mjs'

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

export const ruleNames: readonly string[] = rules.map(({ name }) => name)

/** Runs all rules on the source folders of a tree. */
export async function cruiseTree(root: string): Promise<{ sources: string[]; violations: Violation[] }> {
  const { output } = await cruise(['src', 'runtimes', 'public'], {
    ...config.options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: config.forbidden },
  })
  const { modules, summary } = output as ICruiseResult
  return {
    sources: modules.map(({ source }) => source),
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  }
}
