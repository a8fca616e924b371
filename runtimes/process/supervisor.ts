/**
 * The supervisor of a program: a few lines of POSIX shell that outlive us.
 *
 * Someone has to wait for the program when no process of ours does, or its exit code is lost. A second Node process would
 * cost about 40 MB for every agent; a shell costs about 1 MB and holds nothing that the program depends on: the program
 * writes to its log files itself, so that it runs on even when its supervisor was killed.
 */
import { WORKLOAD_TAG } from './processes.ts'

/** A log file beyond this becomes the older generation. Looked at every ten seconds: a flood can be larger for a while. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024

/**
 * $1: folder of the instance, $2: its name, then the program with its arguments, which the shell never reads as text.
 *
 * - SIGTERM goes to the whole process group; the shell's own handler only keeps it alive until the program has ended.
 * - `command -p` finds the system's tools whatever PATH the program is given.
 * - The watch over the log ends by itself when its shell was killed.
 * - The log is copied, then emptied in place: the program keeps writing to the same open file. What it writes between the
 *   two steps, some microseconds of a file that overflows, is lost.
 * - At the end everything else of the group is killed, as the end of process 1 does in a container.
 */
export const SUPERVISOR = `
folder=$1 name=$2
shift 2
trap : TERM INT HUP
(
  while command -p sleep 10 && kill -0 $$ && [ -d "$folder/log" ]; do
    for stream in stdout stderr; do
      log=$folder/log/$stream
      if [ "$(command -p wc -c <"$log.log")" -gt ${MAX_LOG_BYTES} ]; then
        command -p cp "$log.log" "$log.new" && command -p mv "$log.new" "$log.old" && : >"$log.log"
      fi
    done
  done
) >/dev/null 2>&1 &
${WORKLOAD_TAG}=$name /bin/sh -c 'printf "%s\\n" "$$" >"$0/pid"; exec "$@"' "$folder" "$@"
code=$?
printf '%s\\n' "$code" >"$folder/exit.new" && command -p mv "$folder/exit.new" "$folder/exit"
trap '' TERM
kill -KILL 0
`
