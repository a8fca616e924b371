/** What a request loses on its way to an agent. */
import { DEPTH_HEADER, INVOCATION_HEADER } from '../core/invocation.ts'

/** Names of ours that a client may not bring along; the relay removes hop-by-hop headers by itself. */
const STRIP_ALWAYS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-ploinky-user',
  'x-ploinky-auth-info',
  'x-ploinky-caller-jwt',
  INVOCATION_HEADER,
  DEPTH_HEADER,
]
export const STRIP: ReadonlySet<string> = new Set(STRIP_ALWAYS)
export const STRIP_WITH_AUTHORIZATION: ReadonlySet<string> = new Set([...STRIP_ALWAYS, 'authorization'])
