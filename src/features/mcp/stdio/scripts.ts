/**
 * What runs around a program inside the agent: what it started is ended with it, and what a router that was killed left
 * behind is ended by the next one. POSIX sh with /proc and `grep`. Images without a shell run the program bare: it ends when
 * its standard input does.
 */

/** Environment variable that marks every process of ours: `<instance>/<router>/<session>`. */
export const MARK = 'PLOINKY_STDIO'

/**
 * Runs its arguments, then ends whatever still carries the mark. With `1` as $0, what is written to standard error goes to the
 * log of the container.
 */
const WRAPPER = `
[ "$0" = 1 ] && [ -w /proc/1/fd/2 ] && exec 2>>/proc/1/fd/2
"$@"
code=$?
for file in $(grep -lsF "${MARK}=$${MARK}" /proc/[0-9]*/environ); do
  pid=\${file#/proc/}
  pid=\${pid%/environ}
  [ "$pid" = "$$" ] || kill -KILL "$pid" 2>/dev/null
done
exit "$code"
`

/** $1: the instance; $2: this router. Ends what carries the mark of the instance and of another router. */
const REAPER = `
for file in $(grep -lsF "${MARK}=$1/" /proc/[0-9]*/environ); do
  grep -qsF "${MARK}=$1/$2/" "$file" && continue
  pid=\${file#/proc/}
  pid=\${pid%/environ}
  kill -KILL "$pid" 2>/dev/null
done
exit 0
`

export const wrapped = (argv: readonly string[], options: { logToContainer: boolean }): readonly string[] => [
  'sh',
  '-c',
  WRAPPER,
  options.logToContainer ? '1' : '0',
  ...argv,
]

export const reaper = (instance: string, router: string): readonly string[] => [
  'sh',
  '-c',
  REAPER,
  'sh',
  instance,
  router,
]
