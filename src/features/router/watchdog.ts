/**
 * The watchdog of a background router: a few lines of POSIX shell that start it again when it crashes.
 *
 * A second Node process would do the same for forty megabytes; a shell takes one. It ends with the router's regular ends:
 * 0, and the codes of errors that a restart does not cure (usage, configuration, conflict, denied; 100 and above; the signals
 * that ask it to end). A first router that could not listen has written its error to a file and is not started again.
 *
 * Arguments: the error file, the log, then the router's command line. With `--check` at its end that command asks the
 * running router for its health; this is the only work in idle times, every 30 seconds.
 *
 * A kill from outside makes the pause longer and does not count for the breaker: that is for a router that cannot run.
 *
 * Numbers: pause 1 s, doubled to 30 s, from the start again after 60 s of work; no more than 5 restarts within 60 s;
 * a router that fails three checks in a row is asked to end and, 15 s later, killed.
 */
export const WATCHDOG = `
error=$1 log=$2
shift 2
router= checker= sleeper= stopping= unwell= pause=1 restarts=0 recent=
say() {
  printf '{"ts":"%s","level":"%s","msg":"%s","exitCode":%s,"restarts":%s}\\n' \\
    "$(command -p date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$1" "$2" "$3" "$restarts" >>"$log"
}
end_checker() {
  [ -n "$checker" ] && kill -TERM "$checker" 2>/dev/null
  checker=
}
on_term() {
  stopping=1
  end_checker
  [ -n "$sleeper" ] && kill "$sleeper" 2>/dev/null
  [ -n "$router" ] && kill -TERM "$router" 2>/dev/null
}
trap on_term TERM INT HUP
trap 'unwell=1; kill -TERM "$router" 2>/dev/null' USR1
check() {
  failures=0 napping=
  trap 'kill "$napping" 2>/dev/null; exit' TERM
  trap - INT HUP USR1
  nap() {
    command -p sleep "$1" &
    napping=$!
    wait "$napping"
  }
  nap 10
  while kill -0 $$ 2>/dev/null && kill -0 "$router" 2>/dev/null; do
    "$@" --check >/dev/null 2>&1 </dev/null &
    napping=$!
    if wait "$napping"; then failures=0; else failures=$((failures + 1)); fi
    if [ "$failures" -ge 3 ]; then
      kill -USR1 $$
      nap 15
      kill -KILL "$router" 2>/dev/null
      exit
    fi
    nap 30
  done
}
while :; do
  began=$(command -p date +%s)
  unwell=
  "$@" --watchdog $$ --restarts "$restarts" --error-file "$error" >>"$log" 2>&1 </dev/null &
  router=$!
  [ -n "$stopping" ] && kill -TERM "$router"
  check "$@" &
  checker=$!
  wait "$router"
  code=$?
  while kill -0 "$router" 2>/dev/null; do
    wait "$router"
    code=$?
  done
  router=
  end_checker
  [ -n "$stopping" ] && exit 0
  if [ -z "$unwell" ]; then
    [ -e "$error" ] && [ "$restarts" -eq 0 ] && exit "$code"
    command -p rm -f "$error"
    case $code in
      0 | 2 | 3 | 6 | 8 | 10? | 11? | 12? | 130 | 143) exit "$code" ;;
    esac
  fi
  now=$(command -p date +%s)
  if [ $((now - began)) -ge 60 ]; then pause=1 recent=; fi
  count=0 kept=
  for at in $recent; do
    if [ $((now - at)) -lt 60 ]; then count=$((count + 1)) kept="$kept $at"; fi
  done
  if [ "$code" -eq 137 ] && [ -z "$unwell" ]; then
    kept=$recent
  elif [ "$count" -ge 5 ]; then
    say error "the router ended 6 times within a minute and is not started again" "$code"
    exit 1
  else
    kept="$kept $now"
  fi
  recent=$kept
  restarts=$((restarts + 1))
  say warn "the router ended and is started again" "$code"
  command -p sleep "$pause" &
  sleeper=$!
  wait "$sleeper"
  kill "$sleeper" 2>/dev/null
  sleeper=
  [ -n "$stopping" ] && exit 0
  pause=$((pause * 2))
  [ "$pause" -gt 30 ] && pause=30
done
`

/** argv of the watchdog around the router's own command line. */
export function watchdogArgs(
  paths: { errorFile: string; log: string },
  command: { readonly file: string; readonly args: readonly string[] },
): readonly string[] {
  return ['-c', WATCHDOG, 'ploinky-watchdog', paths.errorFile, paths.log, command.file, ...command.args]
}
