/** Processes of the proxy bench: started here, measured from /proc, ended here. Linux only. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** True when a program can be started. */
export function hasProgram(name) {
  return spawnSync(name, ['-v'], { stdio: 'ignore' }).error === undefined
}

/** A port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

export async function waitForPort(port, deadlineMs = 10_000) {
  const end = performance.now() + deadlineMs
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    if (performance.now() > end) throw new Error(`nothing listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A temporary folder and the processes that live in it; `close` ends and removes all of them. */
export class Stage {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'ploinky-bench-'))
    this.children = []
    // An interrupted bench leaves nothing behind either.
    this.onExit = () => {
      for (const child of this.children) signalGroup(child, 'SIGKILL')
      rmSync(this.dir, { recursive: true, force: true })
    }
    process.once('exit', this.onExit)
  }

  write(name, text) {
    const path = join(this.dir, name)
    writeFileSync(path, text)
    return path
  }

  /** Starts a program, on one core when `core` is a number. */
  start(argv, { core, env } = {}) {
    const [command, ...args] = core === undefined ? argv : ['taskset', '-c', String(core), ...argv]
    // A group of its own: a wrapper's child ends with the wrapper.
    const child = spawn(command, args, { detached: true, env: { ...process.env, ...env }, stdio: 'ignore' })
    this.children.push(child)
    return child
  }

  async close() {
    process.off('exit', this.onExit)
    for (const child of this.children.splice(0)) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode !== null || child.signalCode !== null || !signalGroup(child, 'SIGTERM')) continue
      const hard = setTimeout(() => signalGroup(child, 'SIGKILL'), 3000)
      await gone
      clearTimeout(hard)
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}

function signalGroup(child, signal) {
  try {
    return child.pid !== undefined && process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

/** An nginx in the foreground, one process, answering 1 KB at every path, or proxying to `upstreamPort`. */
export async function startNginx(stage, { port, upstreamPort, core }) {
  const location = upstreamPort
    ? 'proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_buffering off;'
    : 'default_type text/plain; return 200 "$body";'
  const upstream = upstreamPort ? `upstream up { server 127.0.0.1:${upstreamPort}; keepalive 512; }` : ''
  const body = upstreamPort ? '' : `map "" $body { default "${'x'.repeat(1024)}"; }`
  const name = `nginx-${port}`
  const conf = stage.write(
    `${name}.conf`,
    `daemon off; master_process off; pid ${stage.dir}/${name}.pid; error_log ${stage.dir}/${name}.log crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s;
  client_body_temp_path ${stage.dir}/b; proxy_temp_path ${stage.dir}/p; fastcgi_temp_path ${stage.dir}/f;
  uwsgi_temp_path ${stage.dir}/u; scgi_temp_path ${stage.dir}/s;
  ${upstream} ${body}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`,
  )
  const child = stage.start(['nginx', '-c', conf, '-e', join(stage.dir, `${name}.log`)], { core })
  await waitForPort(port)
  return child.pid
}

/** The fields of /proc/<pid>/stat behind the command name: state, ppid, ... (proc(5)). */
function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** User plus system time of a process so far, in µs; the kernel counts in 10 ms ticks. */
export function cpuMicros(pid) {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Resident memory in KB. */
export function residentKb(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
}

/** The pid that listens on a loopback port, from /proc/net/tcp; undefined when it is not ours to see. */
export function listenerPid(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
  const inodes = new Set()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'latin1').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[3] === '0A' && `${fields[1]} `.endsWith(wanted)) inodes.add(`socket:[${fields[9]}]`)
    }
  }
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (inodes.has(linkOf(pid, fd))) return Number(pid)
      }
    } catch {
      // Ended, or belongs to somebody else.
    }
  }
  return undefined
}

function linkOf(pid, fd) {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return ''
  }
}
