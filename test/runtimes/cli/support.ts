/** Specs, recorded answers and real programs for the tests of the command-line engines. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planEnvironment } from '../../../runtimes/cli/environment.ts'
import type { RunParts } from '../../../runtimes/cli/oci.ts'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'

export const minimalSpec: WorkloadSpec = {
  name: 'ploinky-demo-w1',
  workspace: 'w1',
  agent: 'demo',
  image: 'docker.io/library/alpine:3',
  command: null,
  entrypoint: null,
  workdir: null,
  env: {},
  mounts: [],
  ports: [],
  labels: {},
  user: null,
  limits: { pids: 256, memoryBytes: null, cpus: null },
  security: {
    readOnlyRoot: false,
    dropCapabilities: [],
    addCapabilities: [],
    privileged: false,
    shmBytes: null,
    gpus: null,
  },
  network: { mode: 'default' },
  stopGraceSeconds: 10,
}

export const fullSpec: WorkloadSpec = {
  ...minimalSpec,
  command: ['--port', '80'],
  entrypoint: ['/bin/server', '-v'],
  workdir: '/code',
  env: { PLAIN: 'a\nb', HOME: '/home/agent' },
  mounts: [
    { source: '/srv/code', target: '/code', readOnly: false },
    { source: '/srv/odd, "name"', target: '/odd', readOnly: true },
  ],
  ports: [
    { container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' },
    { container: 53, host: 5353, hostIp: '::1', protocol: 'udp' },
  ],
  labels: { note: 'a,b="c"\n' },
  user: '1000:1000',
  limits: { pids: 64, memoryBytes: 268_435_456, cpus: 0.5 },
  security: {
    readOnlyRoot: true,
    dropCapabilities: ['ALL'],
    addCapabilities: ['NET_BIND_SERVICE'],
    privileged: true,
    shmBytes: 134_217_728,
    gpus: 'all',
  },
}

export function partsFor(spec: WorkloadSpec, envFile: string | null = '/state/env.list'): RunParts {
  const environment = planEnvironment(spec.env, { allowFile: true })
  return { hash: 'h4sh', environment, envFile: environment.file === null ? null : envFile }
}

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url))

/** Recorded by `test/fixtures/refresh.mjs`. */
export const recorded = (path: string): string => readFileSync(join(FIXTURES, path), 'utf8')
export const recordedBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, path)))

export interface RecordedFailure {
  readonly exitCode: number
  readonly stderr: string
}
export const recordedFailures = (path: string): Record<string, RecordedFailure> =>
  JSON.parse(recorded(path)) as Record<string, RecordedFailure>

/** True when the program is on PATH. */
export const isInstalled = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))

/** Runs a real program with pipes; never a shell. */
export function runProgram(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ exitCode: code ?? 1, stdout, stderr }))
  })
}

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}
