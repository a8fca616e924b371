/** Shapes of a manifest as authors write it. What one shape means is worked out by the modules beside this one. */
import * as z from 'zod/mini'

const text = z.string()
const scalar = z.union([text, z.number(), z.boolean()])
const list = z.union([text, z.array(text)])
const env = z.union([z.array(z.unknown()), z.record(text, z.unknown())])
const ports = z.union([text, z.number(), z.array(z.union([text, z.number()]))])
const portNumber = z.int().check(z.gte(1), z.lte(65535))
const seconds = z.number().check(z.gte(0), z.lte(86_400))
const count = z.int().check(z.gte(1), z.lte(1000))
const mode = z.enum(['rw', 'ro'])
const size = z.union([text, z.number()])
const flag = z.union([z.boolean(), text])

const readiness = z.looseObject({
  protocol: z.optional(z.enum(['tcp', 'mcp', 'http', 'none'])),
  port: z.optional(portNumber),
  path: z.optional(text),
  timeoutSeconds: z.optional(z.number().check(z.positive(), z.lte(3600))),
})

const probe = z.looseObject({
  script: z.optional(text),
  exec: z.optional(list),
  http: z.optional(z.union([text, z.looseObject({ path: z.optional(text), port: z.optional(portNumber) })])),
  tcp: z.optional(z.union([z.literal(true), portNumber, z.looseObject({ port: z.optional(portNumber) })])),
  mcp: z.optional(z.literal(true)),
  initialDelay: z.optional(seconds),
  interval: z.optional(seconds),
  timeout: z.optional(seconds),
  failureThreshold: z.optional(count),
  successThreshold: z.optional(count),
  retries: z.optional(count),
  continuous: z.optional(z.boolean()),
})

const restartPolicy = z.enum(['always', 'on-failure', 'never'])
const restart = z.union([
  restartPolicy,
  z.looseObject({
    policy: z.optional(restartPolicy),
    maxRestarts: z.optional(count),
    windowSeconds: z.optional(seconds),
    backoffSeconds: z.optional(seconds),
    maxBackoffSeconds: z.optional(seconds),
    resetSeconds: z.optional(seconds),
  }),
])

const dependency = z.union([text, z.looseObject({})])
const attachment = z.union([
  text,
  z.looseObject({ name: text, primary: z.optional(z.boolean()), aliases: z.optional(list) }),
])

const shared = {
  env: z.optional(env),
  expose: z.optional(env),
  secrets: z.optional(z.array(text)),
  install: z.optional(list),
  preinstall: z.optional(list),
  postinstall: z.optional(list),
  hosthook_aftercreation: z.optional(list),
  hosthook_postinstall: z.optional(list),
  ports: z.optional(ports),
  openPorts: z.optional(ports),
  volumes: z.optional(z.record(text, text)),
  volumeOptions: z.optional(
    z.record(
      text,
      z.looseObject({
        chmod: z.optional(z.union([text, z.int()])),
        makeWorldWritableSubdirs: z.optional(z.array(text)),
        generated: z.optional(flag),
        required: z.optional(flag),
        readOnly: z.optional(flag),
      }),
    ),
  ),
  network: z.optional(
    z.union([
      text,
      z.looseObject({
        mode: z.optional(z.enum(['default', 'none', 'host', 'bridge'])),
        name: z.optional(text),
        aliases: z.optional(list),
        attachments: z.optional(z.array(attachment)),
      }),
    ]),
  ),
  enable: z.optional(z.union([text, z.looseObject({}), z.array(dependency)])),
  containerSecurity: z.optional(
    z.looseObject({ privileged: z.optional(flag), gpu: z.optional(flag), shmSize: z.optional(size) }),
  ),
}

const profile = z.looseObject({
  ...shared,
  mounts: z.optional(z.looseObject({ code: z.optional(mode), skills: z.optional(mode) })),
})

function makeSchema() {
  return z.looseObject({
    ...shared,
    about: z.optional(text),
    description: z.optional(text),
    container: z.optional(text),
    image: z.optional(text),
    agent: z.optional(text),
    start: z.optional(text),
    cli: z.optional(text),
    run: z.optional(text),
    commands: z.optional(z.looseObject({ run: z.optional(text), cli: z.optional(text) })),
    update: z.optional(list),
    entrypoint: z.optional(list),
    workdir: z.optional(text),
    port: z.optional(z.union([text, z.number()])),
    readiness: z.optional(readiness),
    health: z.optional(
      z.looseObject({ startup: z.optional(probe), liveness: z.optional(probe), readiness: z.optional(probe) }),
    ),
    restart: z.optional(restart),
    hardwareLimits: z.optional(
      z.looseObject({
        memory: z.optional(size),
        cpus: z.optional(size),
        pidsLimit: z.optional(z.int().check(z.gte(1), z.lte(1_000_000))),
      }),
    ),
    runtime: z.optional(
      z.looseObject({
        resources: z.optional(
          z.looseObject({
            persistentStorage: z.optional(
              z.looseObject({ key: text, containerPath: text, chmod: z.optional(z.union([text, z.int()])) }),
            ),
            env: z.optional(z.record(text, scalar)),
          }),
        ),
      }),
    ),
    repos: z.optional(z.record(text, z.union([text, z.looseObject({ url: text, branch: z.optional(text) })]))),
    startup: z.optional(z.enum(['automatic', 'manual', 'on-demand'])),
    idleSeconds: z.optional(seconds),
    mcp: z.optional(
      z.looseObject({
        transport: z.optional(z.enum(['http', 'stdio'])),
        command: z.optional(list),
        port: z.optional(portNumber),
        path: z.optional(text),
        idleSeconds: z.optional(seconds),
        taskAfterSeconds: z.optional(seconds),
      }),
    ),
    calls: z.optional(z.union([z.array(text), z.record(text, z.union([z.literal('*'), z.array(text)]))])),
    'lite-sandbox': z.optional(flag),
    profiles: z.optional(z.record(text, profile)),
    defaultProfile: z.optional(text),
  })
}

let made: ReturnType<typeof makeSchema> | null = null
/** Made when the first manifest is read: `help` and most commands never need it. */
export const manifestSchema = (): ReturnType<typeof makeSchema> => (made ??= makeSchema())

export type Raw = z.output<ReturnType<typeof makeSchema>>
export type RawProfile = z.output<typeof profile>
export type RawProbe = z.output<typeof probe>

/** Keys of the objects inside, for warnings: what is not listed is unknown there. */
export const INNER_KEYS = {
  readiness: ['protocol', 'port', 'path', 'timeoutSeconds'],
  probe: Object.keys(probe.shape),
  health: ['startup', 'liveness', 'readiness'],
  restart: ['policy', 'maxRestarts', 'windowSeconds', 'backoffSeconds', 'maxBackoffSeconds', 'resetSeconds'],
  hardwareLimits: ['memory', 'cpus', 'pidsLimit'],
  commands: ['run', 'cli'],
  mcp: ['transport', 'command', 'port', 'path', 'idleSeconds', 'taskAfterSeconds'],
  mounts: ['code', 'skills'],
  network: ['mode', 'name', 'aliases', 'attachments'],
  containerSecurity: ['privileged', 'gpu', 'shmSize'],
  volumeOptions: ['chmod', 'makeWorldWritableSubdirs', 'generated', 'required', 'readOnly'],
  runtime: ['resources'],
  resources: ['persistentStorage', 'env'],
  persistentStorage: ['key', 'containerPath', 'chmod'],
  variable: (
    'name varName required default value generatedSecret sharedGeneratedSecret derive deriveName deriveRepoName deriveRepo ' +
    'deriveAgentName deriveAgent deriveBytes deriveFormat description about'
  ).split(' '),
  exposed: ['name', 'value', 'ref'],
  need: ['agent', 'ref', 'spec', 'name', 'alias', 'as', 'profile', 'noWait'],
  attachment: ['name', 'primary', 'aliases'],
} as const

/** Keys of a variable that the newest repositories write and this version does nothing with. */
export const VARIABLE_NOT_ACTED: readonly string[] = ['explicitOverride', 'explicitOverrideRequires', 'runtime']

export const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || ['true', '1', 'yes'].includes(String(value).toLowerCase())
