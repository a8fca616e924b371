import type { ICruiseOptions, IFlattenedRuleSet } from 'dependency-cruiser'

type Forbidden = NonNullable<IFlattenedRuleSet['forbidden']>

export declare const rules: readonly { name: string; comment: string }[]
declare const config: { forbidden: Forbidden; options: ICruiseOptions }
export default config
