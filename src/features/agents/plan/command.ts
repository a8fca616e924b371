/** argv of an agent's main process, of what runs beside it, and of its interactive program. Pure. */
import type { Manifest } from '../../../config/manifest/index.ts'

export const AGENT_DIR = '/Agent'
export const CODE_DIR = '/code'
/** Says, in the log of the agent, that it was the install hook that failed. */
const INSTALL_FAILED = 'ploinky: install failed with code'
/** A container that is started again has installed already; a sandbox has a new /tmp then, as everything but its mounts. */
const INSTALLED = '/tmp/.ploinky-installed'

/** Plain processes have the code elsewhere, and are told where. */
const TO_CODE = `cd "\${PLOINKY_CODE_DIR:-${CODE_DIR}}"`

/** One word of a POSIX shell line. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** The install hook in front of a line; where programs see the host's /tmp, nothing remembers that it ran. */
function withInstall(install: string, line: string, options: { remember: boolean }): string {
  const run = ['(', install, `) || { code=$?; echo "${INSTALL_FAILED} $code" >&2; exit "$code"; }`]
  const once = options.remember ? [`if [ ! -e ${INSTALLED} ]; then`, ...run, `: >${INSTALLED}`, 'fi'] : run
  return [`${TO_CODE} || exit 1`, ...once, line].join('\n')
}

/** Null: the image's own program. */
export function mainCommand(manifest: Manifest, options: { bindMounts: boolean }): readonly string[] | null {
  const { main } = manifest
  const install = manifest.hooks.install?.line ?? null
  const server = ['sh', `${AGENT_DIR}/server/AgentServer.sh`]
  const shell = (line: string): readonly string[] =>
    // An author's own shell line, from the manifest: the one place where a shell is asked for, inside the container.
    ['sh', '-c', install === null ? line : withInstall(install, line, { remember: options.bindMounts })]
  switch (main.kind) {
    case 'agent-server':
      return install === null ? server : shell(`exec ${server.join(' ')}`)
    case 'command':
      return shell(main.line)
    case 'idle':
      // Ends at once when it is asked to, which `sleep` as the main process would not everywhere.
      return shell(`trap 'exit 0' TERM INT\nwhile :; do sleep 3600 & wait $!; done`)
    case 'image': {
      if (main.args.length === 0) return null
      return install === null ? main.args : shell(`exec ${main.args.map(quote).join(' ')}`)
    }
  }
}

/**
 * Starts the line that runs beside the main process: detached, its output in the container's log where the user may write
 * there, begun again when it ends. Ends at once itself.
 */
export function sidecarCommand(line: string): readonly string[] {
  const loop =
    'while :; do sh -c "$0" </dev/null; echo "ploinky: the program beside ended with code $?" >&2; sleep 5; done'
  const detached = `${TO_CODE} || exit 1
if [ -w /proc/1/fd/1 ]; then (${loop}) >>/proc/1/fd/1 2>>/proc/1/fd/2 </dev/null &
else (${loop}) >/dev/null 2>&1 </dev/null &
fi`
  return ['sh', '-c', detached, line]
}

/** A shell line of a hook that runs in the container. */
export const hookCommand = (line: string): readonly string[] => ['sh', '-c', `${TO_CODE} || exit 1\n${line}`]

/** The same, when the install hook of the same container has ended. */
export const installedCommand = (line: string): readonly string[] =>
  hookCommand(`while [ ! -e ${INSTALLED} ]; do sleep 0.2; done\n${line}`)

/** argv of the interactive program: the manifest's, else the one that ships at /Agent. */
export function cliCommand(manifest: Manifest, args: readonly string[]): readonly string[] {
  if (manifest.cli === null) return ['sh', `${AGENT_DIR}/default_cli.sh`, ...args]
  // The line is the author's; the user's arguments follow as positional parameters, so they are never parsed by a shell.
  return args.length === 0 ? ['sh', '-c', manifest.cli] : ['sh', '-c', `${manifest.cli} "$@"`, 'cli', ...args]
}
