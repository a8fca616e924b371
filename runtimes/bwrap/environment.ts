/**
 * How the environment of a program gets into the sandbox. The shell, bubblewrap and nsenter that lead there run outside of
 * it, and their loader would act on names such as LD_PRELOAD: a manifest could have its own library run there. So values
 * travel under numbered names that mean nothing to anybody, and get their own names inside. Never on a command line.
 */
import { PloinkyError } from '../../src/core/error.ts'
import { revealed, Secret, type MaybeSecret } from '../../src/core/secret.ts'
import type { Environment } from '../process/kind.ts'

const PREFIX = 'PLOINKY_SANDBOX_'
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Throws CONFIG_INVALID for a name that no shell can set, and for one of our own. */
export function packEnvironment(env: Environment): Record<string, MaybeSecret> {
  const packed: Record<string, MaybeSecret> = {}
  for (const [index, [name, value]] of Object.entries(env).entries()) {
    if (!NAME.test(name) || name.startsWith(PREFIX)) {
      throw new PloinkyError(
        'CONFIG_INVALID',
        `A sandbox cannot have the variable ${JSON.stringify(name.slice(0, 80))}`,
        {
          hint: 'Use letters, digits and underscores, or choose a container runtime: ploinky start --runtime docker',
          details: { variable: name.slice(0, 80) },
        },
      )
    }
    const entry = `${name}=${revealed(value)}`
    packed[`${PREFIX}${index}`] = typeof value === 'string' ? entry : new Secret(entry)
  }
  return { ...packed, [`${PREFIX}N`]: String(Object.keys(env).length) }
}

/** The other direction, for what a running process was given. */
export function unpackEnvironment(packed: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(packed).filter(([name]) => /^\d+$/.test(name.slice(PREFIX.length)))
  return Object.fromEntries(
    entries
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([, entry]) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
}

/**
 * Runs inside. $1: working folder, then the program with its arguments, which are never read as text. `command` keeps
 * variables that a shell holds for itself (UID in bash) from ending it: those alone stay as the shell has them.
 */
const UNPACK = `
${PREFIX}I=0
while [ "$${PREFIX}I" -lt "$${PREFIX}N" ]; do
  eval "command export \\"\\$${PREFIX}$${PREFIX}I\\"; unset ${PREFIX}$${PREFIX}I" 2>/dev/null
  ${PREFIX}I=$((${PREFIX}I+1))
done
unset ${PREFIX}I ${PREFIX}N
cd -- "$1" || exit 126
shift
`

/** A program that is not there ends with 127 and says so on stderr, as in a container. */
const LAUNCHER = `${UNPACK}exec "$@"\n`

/** `script` takes a command as text, never as words: the text is fixed, and the words come in numbered variables. */
const IN_TERMINAL = `
${PREFIX}I=0
set --
while [ "$${PREFIX}I" -lt "$${PREFIX}N" ]; do
  eval "set -- \\"\\$@\\" \\"\\$${PREFIX}$${PREFIX}I\\"; unset ${PREFIX}$${PREFIX}I"
  ${PREFIX}I=$((${PREFIX}I+1))
done
if [ -n "$${PREFIX}SHELL" ]; then SHELL=$${PREFIX}SHELL; else unset SHELL; fi
unset ${PREFIX}I ${PREFIX}N ${PREFIX}SHELL
exec "$@"
`

/**
 * A terminal of the sandbox's own. The caller's is never handed in: whoever holds it could type into it, and so run
 * commands outside (TIOCSTI).
 */
const TERMINAL_LAUNCHER = `${UNPACK}
export ${PREFIX}N=$# ${PREFIX}SHELL="\${SHELL-}"
${PREFIX}I=0
for word do
  eval "export ${PREFIX}$${PREFIX}I=\\"\\$word\\""
  ${PREFIX}I=$((${PREFIX}I+1))
done
export SHELL=/bin/sh
exec /usr/bin/script --quiet --flush --return --command '${IN_TERMINAL}' /dev/null
`

/** argv that runs a program inside with the environment that was packed for it. */
export const launcherArgs = (
  program: { argv: readonly string[]; cwd: string },
  { tty }: { tty: boolean },
): string[] => ['/bin/sh', '-c', tty ? TERMINAL_LAUNCHER : LAUNCHER, 'ploinky-sandbox', program.cwd, ...program.argv]
