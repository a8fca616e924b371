/** `/api/v1`: one route for each command that asks for one, and the OpenAPI document of the same table. */
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { Command, Input } from '../cli/command.ts'
import { ERRORS, PloinkyError } from '../core/error.ts'
import { parseJson } from '../core/json.ts'
import { isAllowed, type Principal } from '../core/principal.ts'
import { isJson, readText } from './body.ts'
import { describeCommands } from './command-table.ts'
import { inputFromRecord, inputSchemaOf, paramSchema } from './command-schema.ts'
import type { HonoEnv } from './front.ts'
import { writeLines } from './ndjson.ts'

/** A command's input is a few words; nothing larger is read. */
const MAX_INPUT_BYTES = 64 * 1024
const INPUT_TIMEOUT_MS = 30_000

export interface ApiOptions<S> {
  commands: readonly Command<S>[]
  version: string
  /** Runs a command for a principal and gives its data. */
  execute(
    command: Command<S>,
    input: Input,
    call: { principal: Principal; signal: AbortSignal },
  ): Promise<unknown> | AsyncIterable<unknown>
  /** Told of each call that a principal's role does not allow. */
  refused(command: Command<S>, principal: Principal): void
  /** Calls back when the session by which a principal came ends; returns the way out. */
  hold(principal: Principal, onEnd: () => void): () => void
}

type ApiCommand<S> = Command<S> & { http: NonNullable<Command<S>['http']> }

const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')
const pathParams = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')

async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request, { maxBytes: MAX_INPUT_BYTES, timeoutMs: INPUT_TIMEOUT_MS })
  if (text === '') return {}
  if (!isJson(request)) {
    throw new PloinkyError('REQUEST_INVALID', 'Request body is not declared as JSON', {
      hint: 'Send: content-type: application/json',
    })
  }
  const json = parseJson(text)
  const hint = 'Send one JSON object; its fields are in /api/v1/openapi.json'
  if (!json.ok) {
    throw new PloinkyError('REQUEST_INVALID', `Request body is not JSON: ${json.problem}`, {
      hint,
      details: { line: json.line, column: json.column },
    })
  }
  const { value } = json
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new PloinkyError('REQUEST_INVALID', 'Request body is not a JSON object', { hint })
}

/** Methods that the table knows for a path below `/api/v1`; empty when it knows none. */
export function methodsOf(commands: readonly Command<never>[], path: string): string[] {
  const fits = (pattern: string): boolean => {
    const [wanted, given] = [pattern.split('/'), path.split('/')]
    return (
      wanted.length === given.length && wanted.every((part, index) => part.startsWith('{') || part === given[index])
    )
  }
  const methods = commands.flatMap(({ http }) => (http !== undefined && fits(http.path) ? [http.method] : []))
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
}

export function createApi<S>(options: ApiOptions<S>): Hono<HonoEnv> {
  const app = new Hono<HonoEnv>()
  const table = options.commands.filter((command): command is ApiCommand<S> => command.http !== undefined)
  let document: unknown
  app.get('/openapi.json', (c) => c.json((document ??= openApi(table, options.version)) as object))
  app.get('/commands', (c) => {
    const { principal } = c.env
    if (principal === null) throw new PloinkyError('UNAUTHENTICATED', 'Sign in first')
    return c.json(describeCommands(options.commands, principal))
  })
  for (const command of table) {
    app.on(command.http.method, honoPath(command.http.path), async (c) => {
      const { principal } = c.env
      if (principal === null) throw new PloinkyError('UNAUTHENTICATED', 'Sign in first')
      if (!isAllowed(principal, command.permission)) {
        options.refused(command, principal)
        throw new PloinkyError('DENIED', `"${command.name}" needs the permission "${command.permission}"`)
      }
      const query = c.req.method === 'GET' || c.req.method === 'DELETE' ? c.req.query() : {}
      const body = c.req.method === 'GET' || c.req.method === 'DELETE' ? {} : await readBody(c.req.raw)
      const { token: _token, ...rest } = query
      const input = inputFromRecord(command, { ...rest, ...body, ...c.req.param() })
      const ended = new AbortController()
      const signal = AbortSignal.any([c.req.raw.signal, ended.signal])
      const started = options.execute(command, input, { principal, signal })
      const result = isAsyncIterable(started) ? started : await started
      if (!isAsyncIterable(result)) return c.json(result as object)
      c.header('content-type', 'application/x-ndjson')
      if (c.req.method === 'HEAD') return c.body(null)
      return stream(c, async (out) => {
        const release = options.hold(principal, () => ended.abort())
        out.onAbort(() => ended.abort())
        await writeLines(out, result, c.env.requestId).finally(() => ended.abort())
        release()
      })
    })
  }
  return app
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

function operation<S>(command: ApiCommand<S>): object {
  const inPath = pathParams(command.http.path)
  const params = Object.entries(command.params ?? {})
  const others = params.filter(([name]) => !inPath.includes(name))
  const byQuery = command.http.method === 'GET' || command.http.method === 'DELETE'
  const parameters = [
    ...inPath.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: paramSchema(command.params?.[name] ?? { type: 'string', summary: name }),
    })),
    ...(byQuery
      ? others.map(([name, param]) => ({
          name,
          in: 'query',
          required: param.required ?? false,
          schema: paramSchema(param),
        }))
      : []),
  ]
  const schema = inputSchemaOf(command, (name) => !inPath.includes(name))
  return {
    operationId: command.name.replaceAll(' ', '-'),
    summary: command.summary,
    tags: [command.group],
    'x-permission': command.permission,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(byQuery || others.length === 0 ? {} : { requestBody: { content: { 'application/json': { schema } } } }),
    responses: {
      200: { description: 'Done', content: { 'application/json': { schema: {} } } },
      default: {
        description: 'Failed',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

/** OpenAPI 3.1 of the table. */
export function openApi<S>(table: readonly ApiCommand<S>[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const command of table) {
    const entry = (paths[`/api/v1${command.http.path}`] ??= {})
    entry[command.http.method.toLowerCase()] = operation(command)
  }
  const details = { type: 'object', properties: { suggestion: { type: 'string' }, requestId: { type: 'string' } } }
  const error = {
    type: 'object',
    required: ['code', 'message', 'details'],
    properties: { code: { enum: Object.keys(ERRORS) }, message: { type: 'string' }, details },
  }
  return {
    openapi: '3.1.0',
    info: { title: 'ploinky', version, description: 'The commands of ploinky over HTTP.' },
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'ploinky_token' },
      },
      schemas: { Error: { type: 'object', required: ['error'], properties: { error } } },
    },
  }
}
