/** What comes from a page or a program: untrusted, so everything is checked. */
import * as z from 'zod/mini'
import { PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { TtyClientMessage } from './protocol.ts'

/** Larger windows are no windows. */
export const MAX_SIZE = 1000
export const MAX_NAME = 80
const size = z.number().check(z.int(), z.minimum(1), z.maximum(MAX_SIZE))
const name = z.string().check(z.minLength(1), z.maxLength(MAX_NAME))

const clientMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('input'), data: z.string() }),
  z.object({ type: z.literal('resize'), cols: size, rows: size }),
  z.object({ type: z.literal('ack'), bytes: z.number().check(z.int(), z.minimum(0)) }),
  z.object({ type: z.literal('ping'), at: z.number() }),
  z.object({ type: z.literal('take') }),
  z.object({ type: z.literal('rename'), name }),
  z.object({ type: z.literal('record'), on: z.boolean() }),
  z.object({ type: z.literal('end') }),
])

/** Null: it is no message of the protocol. */
export function parseClientMessage(text: string): TtyClientMessage | null {
  const json = parseJson(text)
  const parsed = json.ok ? clientMessageSchema.safeParse(json.value) : null
  return parsed?.success === true ? parsed.data : null
}

export interface OpenRequest {
  /** Null: a new one. */
  readonly session: string | null
  readonly share: string | null
  readonly cols: number
  readonly rows: number
  readonly command: string | null
  readonly name: string | null
}

const querySchema = z.object({
  session: z.nullable(z.string().check(z.maxLength(64))),
  share: z.nullable(z.string().check(z.maxLength(200))),
  cols: z.coerce.number().check(z.int(), z.minimum(1), z.maximum(MAX_SIZE)),
  rows: z.coerce.number().check(z.int(), z.minimum(1), z.maximum(MAX_SIZE)),
  command: z.nullable(z.string().check(z.minLength(1), z.maxLength(1000))),
  name: z.nullable(name),
})

/** The address's query. REQUEST_INVALID names the field that is wrong. */
export function parseOpenRequest(query: URLSearchParams): OpenRequest {
  const parsed = querySchema.safeParse({
    session: query.get('session'),
    share: query.get('share'),
    cols: query.get('cols') ?? 80,
    rows: query.get('rows') ?? 24,
    command: query.get('command'),
    name: query.get('name'),
  })
  if (parsed.success) return { ...parsed.data, name: parsed.data.name === null ? null : plainText(parsed.data.name) }
  const field = String(parsed.error.issues[0]?.path[0] ?? 'query')
  throw new PloinkyError('REQUEST_INVALID', `Invalid "${field}" in the address of a terminal`, {
    hint: `cols and rows are whole numbers from 1 to ${MAX_SIZE}, names have at most ${MAX_NAME} characters`,
  })
}

/** Text for people, without what would move their cursor or turn their text around. */
export const plainText = (text: string): string =>
  text
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .trim()
    .slice(0, 200)
