/**
 * Secrets that follow from the master key: HKDF-SHA256 with an empty salt, over keys named by purpose. The same key, repository,
 * agent and name give the same secret in every workspace. The formats are those of the first ploinky.
 */
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import { Secret } from '../../core/secret.ts'

/** HKDF gives no more from one key (RFC 5869). */
const MOST_BYTES = 255 * 32
/** `/` would make two different secrets one. */
const SECRET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}$/

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

async function hkdf(key: Uint8Array<ArrayBuffer>, info: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const material = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits'])
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(info) }
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, bytes * 8))
}

/** Key for one purpose of the workspace; `seed` is the master key as text. */
async function purposeKey(seed: Secret, purpose: string): Promise<Uint8Array<ArrayBuffer>> {
  const master = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(seed.reveal())))
  return await hkdf(master, `ploinky/${purpose}/v1`, 32)
}

export interface DerivedSpec {
  readonly repo: string
  readonly agent: string
  readonly name: string
  readonly bytes: number
  readonly format: 'hex' | 'base64' | 'base64url'
}

function check({ repo, agent, name, bytes }: DerivedSpec): void {
  const problem =
    !isName(repo) || !isName(agent)
      ? `for ${JSON.stringify(`${repo}/${agent}`.slice(0, 140))}: not a repository and an agent`
      : !SECRET_NAME.test(name)
        ? `${JSON.stringify(name.slice(0, 80))}: not a name of letters, digits, "_", ".", ":" and "-"`
        : !Number.isInteger(bytes) || bytes < 1 || bytes > MOST_BYTES
          ? `"${name}": ${bytes} bytes, expected 1 to ${MOST_BYTES}`
          : null
  if (problem === null) return
  throw new PloinkyError('MANIFEST_INVALID', `Cannot derive the secret ${problem}`, {
    hint: 'Correct the manifest: deriveName, deriveRepo, deriveAgent and deriveBytes',
  })
}

function encoded(bytes: Uint8Array, format: DerivedSpec['format']): string {
  if (format === 'hex') return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return format === 'base64' ? base64 : base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** MANIFEST_INVALID for a name that could be mistaken for another, or a length that cannot be had. */
export async function deriveSecret(seed: Secret, spec: DerivedSpec): Promise<Secret> {
  check(spec)
  const key = await purposeKey(seed, 'derived-master')
  const info = `ploinky/agent-secret/${spec.repo}/${spec.agent}/${spec.name}/v1`
  return new Secret(encoded(await hkdf(key, info, spec.bytes), spec.format))
}
