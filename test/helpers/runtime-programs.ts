/**
 * The programs that the contract runs. Each is a shell script under a name: real engines run the script (POSIX sh,
 * busybox), the fake runs the function that `runtime-fake.ts` holds under the same name.
 */
export type Argv = readonly string[]

/** `$0` carries the name, `$1`... the arguments; nothing is ever put into the text of a script. */
const script =
  (name: string, text: string) =>
  (...args: string[]): Argv => ['sh', '-c', text, `t-${name}`, ...args]
const node =
  (name: string, text: string) =>
  (...args: string[]): Argv => ['node', '-e', text, `t-${name}`, ...args]

export const programs = {
  /** Ends with 0 on SIGTERM. */
  idle: script('idle', `trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done`),
  /** Ignores SIGTERM, and so do its children. */
  stubborn: script('stubborn', `trap '' TERM; echo up; while :; do sleep 1; done`),
  /** Takes no care of signals at all. */
  careless: script('careless', `echo up; exec sleep 100000`),
  exits: script('exits', `exit "$1"`),
  /** $1 to stdout, $2 to stderr, exit code $3. */
  speaks: script('speaks', `printf %s "$1"; printf %s "$2" >&2; exit "$3"`),
  copies: script('copies', `cat`),
  /** The values of the named variables, each ended by a NUL. */
  shows: script('shows', `for n in "$@"; do eval "printf '%s\\000' \\"\\$$n\\""; done`),
  folder: script('folder', `pwd`),
  /** $1 MB of numbered lines of 1000 bytes. */
  floods: script(
    'floods',
    `awk -v n="$1" 'BEGIN { p = sprintf("%990s", ""); gsub(/ /, "x", p); for (i = 0; i < n * 1000; i++) printf "%09d%s\\n", i, p }'`,
  ),
  /** A tree of processes that survives SIGTERM and SIGHUP, some in sessions of their own; $1 marks them. */
  tree: script(
    'tree',
    `trap '' TERM HUP
     setsid sh -c 'trap "" TERM HUP; while :; do sleep "$0"; done' "$1" &
     sh -c 'trap "" TERM HUP; while :; do sleep "$0"; done' "$1" &
     echo up; wait; wait`,
  ),
  /** How many processes have the marker $1 in their command line. */
  counts: script('counts', `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' ' | grep -o "[s]leep $1 " | wc -l`),
  /** Lines on both streams; a blank one; unicode; the last without an end. */
  writes: script(
    'writes',
    `echo 'out one'; echo 'err one' >&2; echo; echo 'out žluťoučký 🦀 "quoted"'; echo 'err two' >&2; printf 'unended'`,
  ),
  /** Says "one", waits for the file $1, says "two", and stays. */
  steps: script(
    'steps',
    `trap 'exit 0' TERM; echo one; while [ ! -e "$1" ]; do sleep 0.05; done; echo two; while :; do sleep 1000 & wait $!; done`,
  ),
  touches: script('touches', `: >"$1"`),
  /** One line of $1 kB. */
  longLine: script('longLine', `awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%01000d", i; printf "\\n" }'`),
  manyLines: script('manyLines', `i=1; while [ "$i" -le "$1" ]; do echo "line $i"; i=$((i+1)); done`),
  /** Terminal programs. */
  size: script('size', `[ -t 0 ] && [ -t 1 ] && stty size`),
  resized: script('resized', `stty size; read -r line; stty size; exit 3`),
  /** Gives lines back: then its last program runs, and the shell waits. Before, dash can keep a Ctrl-C to itself. */
  interruptible: script('interruptible', `echo ready; cat; echo late`),
  asks: script('asks', `printf 'name? '; read -r name; printf 'got:<%s>\\n' "$name"; exit 4`),
  rawKey: script('rawKey', `stty raw -echo; printf ready; dd bs=1 count=1 2>/dev/null | od -A n -t x1; stty -raw`),
  terminalFacts: script('terminalFacts', `printf '%s|%s|%s\\n' "$TERM" "$ODD" "$(pwd)"`),
  shouts: script('shouts', `tr a-z A-Z; exit 5`),
  /** Node programs. */
  webServer: node(
    'webServer',
    `const http = require('node:http'); const port = Number(process.env.PLOINKY_PORT_7000 ?? 7000)
     const server = http.createServer((q, a) => a.end('served ' + q.url)).listen(port, process.env.PLOINKY_PORT_7000 ? '127.0.0.1' : '0.0.0.0', () => console.log('up'))
     process.on('SIGTERM', () => process.exit(0))`,
  ),
  /** The same on port $1 of loopback. */
  webServerAt: node(
    'webServerAt',
    `const http = require('node:http')
     http.createServer((q, a) => a.end('served ' + q.url)).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('up'))
     process.on('SIGTERM', () => process.exit(0))`,
  ),
  /** What is at the address $1, or why not. */
  fetches: node(
    'fetches',
    `fetch(process.argv[2], { signal: AbortSignal.timeout(10000) }).then((a) => a.text())
       .then((text) => process.stdout.write(text), (error) => process.stdout.write('failed: ' + error + ', ' + (error.cause?.code ?? error.cause)))`,
  ),
  udpServer: node(
    'udpServer',
    `const socket = require('node:dgram').createSocket('udp4'); const port = Number(process.env.PLOINKY_PORT_7001 ?? 7001)
     socket.on('message', (data, from) => socket.send('back ' + data, from.port, from.address))
     socket.bind(port, () => console.log('up')); process.on('SIGTERM', () => process.exit(0))`,
  ),
} as const

export type ProgramName = keyof typeof programs
