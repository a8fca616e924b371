/** The input of a command for callers over HTTP and MCP: as JSON Schema, and checked. */
import type { Command, Param } from '../cli/command.ts'

export { inputFromRecord } from '../cli/values.ts'

const SCHEMA_TYPES: Record<Param['type'], object> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  integer: { type: 'integer' },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  rest: { type: 'array', items: { type: 'string' } },
}

export function paramSchema(param: Param): object {
  return {
    ...SCHEMA_TYPES[param.type],
    description: param.summary,
    ...(param.choices === undefined ? {} : { enum: param.choices }),
    ...(param.min === undefined ? {} : { minimum: param.min }),
    ...(param.max === undefined ? {} : { maximum: param.max }),
  }
}

export interface InputSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, object>>
  readonly additionalProperties: false
  readonly required?: readonly string[]
}

/** Schema of all params of a command, or of those that `includes` keeps. */
export function inputSchemaOf(
  { params = {} }: Pick<Command<never>, 'params'>,
  includes: (name: string) => boolean = () => true,
): InputSchema {
  const kept = Object.entries(params).filter(([name]) => includes(name))
  const required = kept.filter(([, param]) => param.required === true).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(kept.map(([name, param]) => [name, paramSchema(param)])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  }
}
