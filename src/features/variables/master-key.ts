/**
 * The master key, from which derived secrets follow: PLOINKY_MASTER_KEY of the environment, else of the nearest `.env`, else
 * `.ploinky/master-key`, which is made when it is first needed. Never printed, never given to an agent.
 */
import { PloinkyError } from '../../core/error.ts'
import { Secret } from '../../core/secret.ts'
import type { FileSystem, Platform } from '../../platform/index.ts'
import type { DotEnv } from './types.ts'

const NAME = 'PLOINKY_MASTER_KEY'
const BYTES = 32
const MODE = 0o600
const LOCK_WAIT_MS = 10_000
const MAX_FILE_BYTES = 4096

export interface MasterKeyOptions {
  readonly fs: FileSystem
  readonly lock: Platform['lock']
  readonly file: string
  readonly lockFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly onWarning: (message: string) => void
}

/** Null when there is none yet and `create` is false. */
export async function masterKey(
  options: MasterKeyOptions,
  { dotenv, create }: { dotenv: DotEnv | null; create: boolean },
): Promise<Secret | null> {
  const given = options.environment[NAME] ?? ''
  if (given !== '') return new Secret(given)
  const written = dotenv?.values.get(NAME)?.value
  if (written !== undefined && written.reveal() !== '') return written
  const kept = await readKey(options)
  if (kept !== null || !create) return kept
  const { lock, lockFile } = options
  return await lock(lockFile, { waitMs: LOCK_WAIT_MS, what: 'making the master key' }, async () => {
    // Another may have made it meanwhile.
    return (await readKey(options)) ?? (await makeKey(options))
  })
}

async function readKey({ fs, file, onWarning }: MasterKeyOptions): Promise<Secret | null> {
  const info = await fs.stat(file)
  if (info === null) return null
  if ((info.mode & 0o077) !== 0) {
    await fs.chmod(file, MODE)
    onWarning('.ploinky/master-key could be read by others; its mode is 0600 now')
  }
  const text = ((await fs.readText(file, { maxBytes: MAX_FILE_BYTES })) ?? '').trim()
  if (text !== '') return new Secret(text)
  // A new one would silently change every secret that was derived from the old one.
  throw new PloinkyError('STATE_INVALID', 'The master key in .ploinky/master-key is empty', {
    hint: 'Bring it back from a backup; or delete the file, and derived secrets begin anew: rm .ploinky/master-key',
    details: { file },
  })
}

async function makeKey({ fs, file }: MasterKeyOptions): Promise<Secret> {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  await fs.writeAtomic(file, `${text}\n`, { mode: MODE })
  return new Secret(text)
}
