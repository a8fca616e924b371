/** Docker, Docker Desktop and rootless Docker, through the `docker` command; `DOCKER_HOST` and contexts as it does. */
import type { RuntimeDefinition, WorkloadSpec } from '../adapter.ts'
import { createCliAdapter } from '../cli/adapter.ts'
import { LOG_KEPT_MIB, type Dialect } from '../cli/dialect.ts'
import { DOCKER_CAPABILITIES } from './capabilities.ts'
import { probeDocker } from './detect.ts'

/** Rotated by docker: a few files, so that a burst does not throw everything before it away. */
const LOG_FILES = 3

/** Where programs write although the root is read-only. */
const WRITABLE = ['/run', '/tmp', '/var/tmp'] as const
const tmpfs = (path: string): string[] => ['--tmpfs', `${path}:rw,nosuid,nodev`]
/** docker refuses two mounts at one place. */
const isFree =
  (spec: WorkloadSpec) =>
  (path: string): boolean =>
    spec.mounts.every(({ target }) => target.replace(/\/+$/, '') !== path)

export const dockerDialect: Dialect = {
  id: 'docker',
  displayName: 'Docker',
  program: 'docker',
  programVariable: 'PLOINKY_DOCKER',
  runFlags: (spec) => [
    '--log-driver',
    'json-file',
    '--log-opt',
    `max-size=${LOG_KEPT_MIB / LOG_FILES}m`,
    '--log-opt',
    `max-file=${LOG_FILES}`,
    // podman does the same by itself for a read-only root: programs expect to be able to write there.
    ...(spec.security.readOnlyRoot ? WRITABLE.filter(isFree(spec)).flatMap(tmpfs) : []),
  ],
  // Known by name since 20.10.
  addsHost: true,
  gpuFlags: ['--gpus', 'all'],
  removeFlags: [],
  pullReference: (reference) => reference,
  jsonFormat: '{{json .}}',
  eventNames: ['start', 'die', 'pause', 'unpause', 'destroy'],
  // Size of the buffer that docker's log drivers copy through (daemon/logger, defaultBufSize).
  logBlockBytes: 16 * 1024,
  losesOutputOfUnreadInput: false,
  sizedTerminalApi: [1, 42],
  losesTerminalSizes: false,
  serviceArgs: () => null,
  probe: probeDocker,
  assumed: DOCKER_CAPABILITIES,
}

export const dockerRuntime: RuntimeDefinition = {
  id: 'docker',
  displayName: 'Docker',
  create: (context) => createCliAdapter(context, dockerDialect),
}
