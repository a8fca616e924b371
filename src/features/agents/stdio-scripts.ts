/**
 * What runs around a program inside the agent: what it started is ended with it, and what a router that was killed left
 * behind is ended by the next one. POSIX sh with /proc and `grep`. Images without a shell run the program bare: it ends when
 * its standard input does.
 */

/** Environment variable that marks every process of ours: `<instance>/<router>/<session>`. */
export const MARK = 'PLOINKY_STDIO'

/**
 * Sets `found` to the processes whose environment has a text: $1. Variables there end with NUL bytes, which a `grep` without
 * `-z` takes for the end of all.
 */
const FIND = `
marked() {
  if grep -zqF x </dev/null 2>/dev/null; [ $? -le 1 ]; then
    found=$(grep -lszF "$1" /proc/[0-9]*/environ)
  else
    found=""
    for file in /proc/[0-9]*/environ; do
      tr '\\000' '\\n' 2>/dev/null <"$file" | grep -qF "$1" && found="$found $file"
    done 2>/dev/null
  fi
}
end() {
  pid=\${1#/proc/}
  pid=\${pid%/environ}
  [ "$pid" != "$$" ] && kill -KILL "$pid" 2>/dev/null
}
`

/**
 * Runs its arguments, then ends whatever still carries the mark, until two looks in a row have found nothing: a process in
 * the middle of exec shows no environment. With `1` as $0, what is written to standard error goes to the log of the container.
 */
const WRAPPER = `
[ "$0" = 1 ] && [ -w /proc/1/fd/2 ] && exec 2>>/proc/1/fd/2
"$@"
code=$?
${FIND}
looks=0 empty=0
while [ $empty -lt 2 ] && [ $looks -lt 10 ]; do
  looks=$((looks + 1)) empty=$((empty + 1))
  marked "${MARK}=$${MARK}"
  for file in $found; do end "$file" && empty=0; done
done
exit "$code"
`

/** $1: the instance; $2: this router. Ends what carries the mark of the instance and of another router. */
const REAPER = `
${FIND}
instance=$1 router=$2
marked "${MARK}=$instance/$router/"
own=" $(echo $found) "
marked "${MARK}=$instance/"
for file in $found; do
  case "$own" in *" $file "*) ;; *) end "$file" ;; esac
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
