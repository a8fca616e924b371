/** Variables and secrets: where values come from, what agents are given, what is missing. */
export { assertResolved, describeMissing } from './missing.ts'
export { resolveEnvironment } from './resolve.ts'
export type { Exposure } from './exposing.ts'
export { createVariables, type Variable, type Variables } from './service.ts'
export { expandReference, expandTemplate } from './template.ts'
export type {
  DotEnv,
  EnvironmentRequest,
  MissingValue,
  Resolution,
  ResolvedValue,
  Sources,
  ValueSource,
} from './types.ts'
