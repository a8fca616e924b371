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
/** Many agents and commands may start at once, each writing a little. */
const LOCK_WAIT_MS = 10_000

export interface SecretStore {
  get(name: string): Promise<Secret | null>
  all(): Promise<ReadonlyMap<string, Secret>>
  /** Names that are there; decrypts nothing. */
  names(): Promise<readonly string[]>
  set(name: string, value: string): Promise<void>
  /** False when there was none. */
  unset(name: string): Promise<boolean>
  /** Sets only when there is none yet, under a lock; returns the value that holds. */
  ensure(name: string, make: () => string): Promise<Secret>
  /** The same for many in one write. */
  ensureAll(names: readonly string[], make: (name: string) => string): Promise<ReadonlyMap<string, Secret>>
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

/** `isPlain`: it will be kept as text, where some values would not come back as they were. */
function check(name: string, value: string | null, isPlain: boolean): void {
  if (!KEY.test(name))
    throw new PloinkyError('NAME_INVALID', `Not a variable name: ${JSON.stringify(name.slice(0, 80))}`, {
      hint: 'Use letters, digits and "_", not starting with a digit',
    })
  if (value !== null && /[\r\n\0]/.test(value))
    throw new PloinkyError('USAGE_INVALID', `The value of "${name}" holds a line break or a NUL character`, {
      hint: 'Encode it, for example as base64',
    })
  if (value !== null && isPlain && (value !== value.trim() || value.startsWith(PREFIX)))
    throw new PloinkyError(
      'USAGE_INVALID',
      `The value of "${name}" begins or ends with a blank, or begins with "${PREFIX}", which a line of text does not keep`,
      { hint: 'Set PLOINKY_MASTER_KEY, so that values are encrypted; or encode it, for example as base64' },
    )
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

  async function opened(values: ReadonlyMap<string, string>): Promise<Map<string, Secret>> {
    const entries = [...values].map(
      async ([name, raw]) => [name, new Secret(await open(await key(), name, raw))] as const,
    )
    return new Map(await Promise.all(entries))
  }

  async function pick(names: readonly string[]): Promise<Map<string, Secret>> {
    const { values } = await load()
    return await opened(new Map([...values].filter(([name]) => names.includes(name))))
  }

  /** A null removes. */
  async function write(changes: ReadonlyMap<string, string | null>): Promise<void> {
    const current = await key()
    for (const [name, value] of changes) check(name, value, current === null)
    const { text } = await load()
    const kept = text.split('\n').filter((line) => !changes.has(line.slice(0, Math.max(line.indexOf('='), 0)).trim()))
    while (kept.at(-1) === '') kept.pop()
    for (const [name, value] of changes) {
      if (value !== null) kept.push(`${name}=${current === null ? value : await seal(current, name, value)}`)
    }
    await fs.writeAtomic(file, kept.map((line) => `${line}\n`).join(''), { mode: MODE })
  }

  const locked = <T>(run: () => Promise<T>): Promise<T> =>
    options.lock(options.lockFile, { waitMs: LOCK_WAIT_MS, what: 'writing secrets' }, run)

  async function ensureAll(names: readonly string[], make: (name: string) => string): Promise<Map<string, Secret>> {
    const isComplete = (found: ReadonlyMap<string, Secret>): boolean => names.every((name) => found.has(name))
    const before = await pick(names)
    if (isComplete(before)) return before
    return await locked(async () => {
      const found = await pick(names)
      const made = new Map(names.filter((name) => !found.has(name)).map((name) => [name, make(name)]))
      if (made.size > 0) await write(made)
      for (const [name, value] of made) found.set(name, new Secret(value))
      return found
    })
  }

  return {
    get: async (name) => (await pick([name])).get(name) ?? null,
    all: async () => await opened((await load()).values),
    names: async () => [...(await load()).values.keys()],
    set: (name, value) => locked(() => write(new Map([[name, value]]))),
    unset: (name) =>
      locked(async () => {
        if (!(await load()).values.has(name)) return false
        await write(new Map([[name, null]]))
        return true
      }),
    async ensure(name, make) {
      const value = (await ensureAll([name], make)).get(name)
      if (value === undefined) throw new Error(`"${name}" was neither found nor made`)
      return value
    },
    ensureAll,
  }
}
