/**
 * Ending a program inside a container. Engines have no call for it, and closing the stream leaves the program running;
 * so every program that we start carries a tag in its environment, and is found by it.
 */
import { delay } from '../../src/core/time.ts'
import type { Engine } from './dialect.ts'
import { planEnvironment } from './environment.ts'
import { execArgs } from './oci.ts'

/** Environment variable that tags what we start in a container. */
export const TAG = 'PLOINKY_EXEC'

/**
 * $1: the tag's value; $2: first signal. POSIX sh with /proc, `tr` and `grep` (busybox has all). Tagged processes and all
 * their descendants (which may have changed their user or environment) get the signal, and SIGKILL about a second later,
 * stopped before, so that none starts another in between. Prints nothing. Ends when nothing tagged is left, seen twice: a
 * process in the middle of exec shows no environment.
 */
export const SWEEP_SCRIPT = `
tag="${TAG}=$1" first=$2 known=""
scan() {
  found=""
  for d in /proc/[0-9]*; do
    p=\${d#/proc/}
    [ "$p" = "$$" ] && continue
    tr '\\000' '\\n' <"$d/environ" 2>/dev/null | grep -qxF "$tag" && found="$found $p"
  done 2>/dev/null
  found="$found $known"
  grown=1
  while [ "$grown" = 1 ]; do
    grown=0
    for d in /proc/[0-9]*; do
      p=\${d#/proc/}
      case " $found " in *" $p "*) continue ;; esac
      read -r line <"$d/stat" || continue
      set -- \${line##*") "}
      [ "$1" = Z ] && continue
      case " $found " in *" $2 "*) [ "$2" != 1 ] && found="$found $p" grown=1 ;; esac
    done 2>/dev/null
  done
  alive=""
  for p in $found; do
    read -r line 2>/dev/null <"/proc/$p/stat" || continue
    set -- \${line##*") "}
    [ "$1" = Z ] || alive="$alive $p"
  done 2>/dev/null
}
scan; known=$alive
[ -z "$alive" ] && exit 0
kill -"$first" $alive 2>/dev/null
[ "$first" = HUP ] && kill -CONT $alive 2>/dev/null
n=0 gone=0
while [ $n -lt 40 ]; do
  n=$((n + 1))
  scan
  if [ -z "$alive" ]; then
    gone=$((gone + 1))
    [ $gone -ge 2 ] && exit 0
    continue
  fi
  gone=0
  if [ $n -gt 8 ]; then
    kill -STOP $alive 2>/dev/null
    scan
    kill -KILL $alive 2>/dev/null
  fi
  sleep 0.1 2>/dev/null || sleep 1
done
exit 1
`

const SWEEP_TIMEOUT_MS = 15_000

export interface Target {
  readonly name: string
  readonly tag: string
  /** The user that the program was started as: without ptrace rights only the same user may read a process's environment. */
  readonly user?: string | undefined
  readonly signal: 'TERM' | 'HUP'
}

/**
 * Ends everything that carries the tag and resolves when it is gone. A container that is gone or has no shell is not an
 * error: nothing is left, or nothing can be done; the latter is logged.
 */
export async function sweep(engine: Engine, target: Target): Promise<void> {
  const args = (detach: boolean) =>
    execArgs(target.name, ['sh', '-c', SWEEP_SCRIPT, 'sh', target.tag, target.signal], {
      stdin: false,
      tty: false,
      detach,
      environment: planEnvironment({}, { allowFile: false }),
      envFile: null,
      user: target.user,
    })
  try {
    const result = await engine.call(args(false), { timeoutMs: SWEEP_TIMEOUT_MS })
    if (result.exitCode === 126 || result.exitCode === 127) {
      engine.log.warn('no shell in the container: a program in it could not be ended', { name: target.name })
    } else if (result.exitCode === 1 && result.stderr === '') {
      engine.log.warn('a program in the container survived being killed', { name: target.name })
    }
  } catch (error) {
    // An exec whose output nobody read can block further attached ones; a detached one still gets through.
    engine.log.warn('ending a program in a container took too long', { name: target.name, error })
    await engine.call(args(true), { timeoutMs: SWEEP_TIMEOUT_MS }).catch(() => {})
    await delay(1500)
  }
}
