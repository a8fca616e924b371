/**
 * `.ploinky/.secrets`: `KEY=VALUE` lines, mode 0600. With a master key (PLOINKY_MASTER_KEY) values are written
 * encrypted: AES-256-GCM under a key derived by HKDF-SHA256; plain values of older files are still read.
 */
import { PloinkyError } from '../../core/error.ts'
import { Secret } from '../../core/secret.ts'
import type { FileSystem, Platform } from '../../platform/index.ts'

const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/
const PREFIX = 'enc:v1:'
const MODE = 0o600

export interface SecretStore {
  get(name: string): Promise<Secret | null>
  all(): Promise<ReadonlyMap<string, Secret>>
  set(name: string, value: string): Promise<void>
  /** Sets only when there is none yet, under a lock; returns the value that holds. */
  ensure(name: string, make: () => string): Promise<Secret>
}

export interface SecretStoreOptions {
  fs: FileSystem
  lock: Platform['lock']
  file: string
  lockFile: string
  masterKey: string | undefined
  onWarning: (message: string) => void
}

const encode = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const decode = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

async function deriveKey(masterKey: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(masterKey), 'HKDF', false, [
    'deriveKey',
  ])
  const info = new TextEncoder().encode('ploinky/storage/secrets/v1')
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

async function seal(key: CryptoKey, name: string, value: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  // The name is authenticated too: values cannot be swapped between lines.
  const additionalData = new TextEncoder().encode(name)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData },
    key,
    new TextEncoder().encode(value),
  )
  return `${PREFIX}${encode(iv)}.${encode(new Uint8Array(sealed))}`
}

async function open(key: CryptoKey | null, name: string, text: string): Promise<string> {
  if (!text.startsWith(PREFIX)) return text
  if (key === null) {
    throw new PloinkyError('CONFIG_INVALID', `Secret "${name}" is encrypted and no master key is set`, {
      hint: 'Set PLOINKY_MASTER_KEY to the key that this workspace was written with',
    })
  }
  const [iv = '', sealed = ''] = text.slice(PREFIX.length).split('.')
  try {
    const additionalData = new TextEncoder().encode(name)
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: decode(iv), additionalData }, key, decode(sealed))
    return new TextDecoder().decode(plain)
  } catch (error) {
    throw new PloinkyError('CONFIG_INVALID', `Secret "${name}" cannot be decrypted with this master key`, {
      hint: 'Set PLOINKY_MASTER_KEY to the key that this workspace was written with',
      cause: error,
    })
  }
}

/** Lines of the file; comments and blank lines are kept when it is rewritten. */
function parseLines(text: string, onWarning: (message: string) => void): Map<string, string> {
  const values = new Map<string, string>()
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return
    const equals = line.indexOf('=')
    const name = line.slice(0, Math.max(equals, 0)).trim()
    const place = `.ploinky/.secrets line ${index + 1}`
    if (!KEY.test(name)) return onWarning(`${place} is not KEY=VALUE; ignored`)
    // A program cannot be given it; a file that was torn by a power cut is full of it.
    if (line.includes('\0')) return onWarning(`${place} holds a NUL character; ignored`)
    if (values.has(name)) onWarning(`${place} gives ${name} again; the last one counts`)
    values.set(name, line.slice(equals + 1).trim())
  })
  return values
}

export function createSecretStore(options: SecretStoreOptions): SecretStore {
  const { fs, file } = options
  const told = new Set<string>()
  /** The file is read several times by one command; what is wrong with it is said once. */
  const warn = (message: string): void => {
    if (!told.has(message)) options.onWarning(message)
    told.add(message)
  }
  let keyPromise: Promise<CryptoKey | null> | null = null
  const key = (): Promise<CryptoKey | null> =>
    (keyPromise ??= options.masterKey ? deriveKey(options.masterKey) : Promise.resolve(null))

  async function load(): Promise<{ text: string; values: Map<string, string> }> {
    const info = await fs.stat(file)
    if (info !== null && (info.mode & 0o077) !== 0) {
      await fs.chmod(file, MODE)
      warn('.ploinky/.secrets could be read by others; its mode is 0600 now')
    }
    const text = (await fs.readText(file)) ?? ''
    return { text, values: parseLines(text, warn) }
  }

  async function get(name: string): Promise<Secret | null> {
    const raw = (await load()).values.get(name)
    return raw === undefined ? null : new Secret(await open(await key(), name, raw))
  }

  async function write(name: string, value: string): Promise<void> {
    if (!KEY.test(name))
      throw new PloinkyError('NAME_INVALID', `Not a variable name: ${JSON.stringify(name.slice(0, 80))}`)
    if (/[\r\n\0]/.test(value))
      throw new PloinkyError('USAGE_INVALID', `The value of "${name}" holds a line break`, {
        hint: 'Encode it, for example as base64',
      })
    const current = await key()
    const stored = current === null ? value : await seal(current, name, value)
    const { text } = await load()
    const kept = text.split('\n').filter((line) => line.slice(0, Math.max(line.indexOf('='), 0)).trim() !== name)
    while (kept.at(-1) === '') kept.pop()
    await fs.writeAtomic(file, `${[...kept, `${name}=${stored}`].join('\n')}\n`, { mode: MODE })
  }

  const locked = <T>(run: () => Promise<T>): Promise<T> =>
    options.lock(options.lockFile, { waitMs: 5000, what: 'writing secrets' }, run)

  return {
    get,
    async all() {
      const { values } = await load()
      const entries = await Promise.all(
        [...values].map(async ([name, raw]) => [name, new Secret(await open(await key(), name, raw))] as const),
      )
      return new Map(entries)
    },
    set: (name, value) => locked(() => write(name, value)),
    ensure: async (name, make) =>
      (await get(name)) ??
      (await locked(async () => {
        const existing = await get(name)
        if (existing !== null) return existing
        const value = make()
        await write(name, value)
        return new Secret(value)
      })),
  }
}
