/**
 * How environment values reach a container: by name on the command line and by value in the environment of the engine's
 * own CLI. That carries every byte but NUL and never shows in a process list. Names that would steer the CLI itself go
 * through a private file instead.
 */
import { PloinkyError } from '../../src/core/error.ts'
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/**
 * Names that docker, podman, their Go runtime or the dynamic loader act on. Given to a container they must not change
 * where the CLI connects or what it loads.
 */
const STEERS_CLI =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|TZ|ENV|BASH_ENV|IFS|TMPDIR|TEMP|TMP|NOTIFY_SOCKET|GNUPGHOME|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|_?CONTAINERS?_.*|(?:DOCKER|PODMAN|LIBPOD|BUILDAH|BUILDKIT|STORAGE|REGISTRY|REGISTRIES|CNI|NETAVARK|XDG|DBUS|LISTEN|SSH|SSL|OTEL|SYSTEMD|LD|DYLD|MALLOC|GLIBC|COMPOSE|KUBE)_.*|GO[A-Z0-9]*|(?:https?|all|no|ftp)_proxy)$/i

/** Linux refuses a longer single string at exec (MAX_ARG_STRLEN, 32 pages), in the container as well. */
const MAX_ENTRY_BYTES = 131_072 - 1
/** docker reads an env file by lines of at most 64 KiB. */
const MAX_FILE_LINE_BYTES = 60 * 1024

export interface EnvironmentPlan {
  /** Flags for `run` or `exec`; `--env-file` is added by whoever writes the file. */
  readonly args: readonly string[]
  /** For the CLI's own process. */
  readonly env: Readonly<Record<string, MaybeSecret>>
  /** Content of a private env file, or null when none is needed. */
  readonly file: string | null
}

function invalid(name: string, why: string, hint: string): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `Environment variable ${JSON.stringify(name.slice(0, 80))} ${why}`, {
    hint,
    details: { variable: name.slice(0, 80) },
  })
}

/**
 * Decides for every variable how it travels. Throws CONFIG_INVALID for a name that engines misread, for NUL, and for
 * values that no engine can carry. `allowFile: false`: plain values of steering names go on the command line.
 */
export function planEnvironment(
  variables: Readonly<Record<string, MaybeSecret>>,
  options: { allowFile: boolean },
): EnvironmentPlan {
  const args: string[] = []
  const env: Record<string, MaybeSecret> = {}
  const lines: string[] = []
  for (const [name, value] of Object.entries(variables)) {
    if (!NAME.test(name)) {
      throw invalid(name, 'has an invalid name', 'Use letters, digits, "_", "." and "-", not starting with a digit')
    }
    const text = revealed(value)
    if (text.includes('\0')) throw invalid(name, 'contains a NUL byte', 'Encode the value, for example as base64')
    const entry = `${name}=${text}`
    const size = new TextEncoder().encode(entry).byteLength
    if (size > MAX_ENTRY_BYTES) {
      throw invalid(name, `is too large: ${size} bytes`, 'Give the value as a file: mount it into the container')
    }
    if (!STEERS_CLI.test(name)) {
      args.push('--env', name)
      env[name] = value
    } else if (options.allowFile && !/[\r\n]/.test(text) && size <= MAX_FILE_LINE_BYTES) {
      lines.push(entry)
    } else if (typeof value === 'string') {
      args.push('--env', entry)
    } else {
      throw invalid(
        name,
        'is a secret that cannot be passed safely',
        'Use another name, or a value of one line and at most 60 KiB',
      )
    }
  }
  return { args, env, file: lines.length === 0 ? null : `${lines.join('\n')}\n` }
}
