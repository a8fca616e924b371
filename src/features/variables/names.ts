/** Names of variables: patterns, those that are the workspace's own, and those that look like secrets. Pure. */

/** Longer ones are a mistake; systems differ in what they take. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/

export const isVariableName = (name: string): boolean => NAME.test(name) && name !== '__proto__'

/** The workspace's own settings, keys and generated secrets: never an agent's, whatever its manifest or an alias asks for. */
export const isReserved = (name: string): boolean => name.startsWith('PLOINKY_')

/** True when `pattern` fits, each `*` of it standing for any text. One pass: a regular expression can be made to take for ever. */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}

/**
 * What describes this machine and this session, not the work. "Everything" does not mean it: a container has a PATH and a
 * HOME of its own, and an agent that talks to this user's ssh or engine is not what `*` asks for. By name it is given.
 */
const OF_THIS_MACHINE =
  /^(?:_|PATH|HOME|PWD|OLDPWD|SHELL|SHLVL|USER|LOGNAME|MAIL|HOSTNAME|TERM|COLORTERM|LS_COLORS|DISPLAY|TMPDIR|TEMP|TMP|NODE_OPTIONS|(?:LD|DYLD|XDG|DBUS|SSH|DOCKER|CONTAINER|WAYLAND|SYSTEMD|INVOCATION|JOURNAL|SUDO|GPG)_.*)$/

/** Whether a pattern takes a name of the process environment. Some shells keep functions in variables of odd names. */
export function takesFromEnvironment(pattern: string, name: string): boolean {
  return takes(pattern, name) && !(isEverything(pattern) && OF_THIS_MACHINE.test(name))
}

/** Whether a pattern takes a name: `LLM_*` every one that fits; a bare `*` leaves out those that look like API keys. */
export function takes(pattern: string, name: string): boolean {
  if (!isVariableName(name) || isReserved(name) || !fits(pattern, name)) return false
  return !(isEverything(pattern) && /API_?KEY/i.test(name))
}

/** `**` says no more than `*`. */
const isEverything = (pattern: string): boolean => /^\*+$/.test(pattern)

const SENSITIVE =
  /KEY|TOKEN|SECRET|PASS|(?:^|_)PWD(?:$|_)|CREDENTIAL|PRIVATE|AUTH|COOKIE|SESSION|(?:^|_)(?:DSN|PIN|SALT|JWT|CERT)(?:$|_)|CONN(?:ECTION)?_?STR|WEBHOOK/i
/** `postgres://user:password@host`. */
const WITH_PASSWORD = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/

/** Whether a value of the environment must not be printed, judged by its name and its shape. */
export const looksSecret = (name: string, value: string): boolean =>
  // The folder that a shell is in; as a word in a longer name it is a password.
  (name !== 'PWD' && name !== 'OLDPWD' && SENSITIVE.test(name)) || WITH_PASSWORD.test(value)

/** Letters and digits stay, the rest becomes `_5F` and the like: no two names give the same text. */
const escaped = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9]/.test(char) ? char : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

/** Where something of the workspace's own is kept in `.ploinky/.secrets`; no pattern and no alias reaches it. */
export const storedName = (kind: 'GENERATED_SHARED' | 'GENERATED' | 'EXPOSED', parts: readonly string[]): string =>
  `PLOINKY_${kind}__${parts.map(escaped).join('__')}`
