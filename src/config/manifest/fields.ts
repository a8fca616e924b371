/**
 * Every key that authors write, with what it means: the one list for warnings, the editor's schema and the documents.
 * `acted` false: read and checked as far as it goes, but this version does nothing with it, and says so.
 */

export interface Field {
  readonly name: string
  readonly where: 'root' | 'profile' | 'both'
  readonly acted: boolean
  readonly about: string
}

const acted = (where: Field['where'], entries: Readonly<Record<string, string>>): Field[] =>
  Object.entries(entries).map(([name, about]) => ({ name, where, acted: true, about }))
const known = (where: Field['where'], entries: Readonly<Record<string, string>>): Field[] =>
  Object.entries(entries).map(([name, about]) => ({ name, where, acted: false, about }))

export const FIELDS: readonly Field[] = [
  ...acted('root', {
    about: 'One sentence about the agent',
    description: 'Another spelling of about',
    container: 'Image reference; ${NAME} takes a variable',
    image: 'Another spelling of container',
    agent: 'Shell line of the service, run in /code',
    start: "Arguments to the image's own entry point; with agent, that one runs beside it",
    cli: 'Shell line of the interactive program',
    run: 'Interactive program where cli is absent (first generation)',
    commands: 'run and cli, grouped',
    update: 'Shell line for: ploinky update agent',
    entrypoint: "Instead of the image's entry point",
    workdir: 'Working folder of the main process',
    port: 'One published port',
    readiness: 'When the agent counts as ready: protocol, port, path, timeoutSeconds',
    health: 'Probes while it runs: startup, liveness, readiness',
    restart:
      'What happens when it ends: policy, maxRestarts, windowSeconds, backoffSeconds, maxBackoffSeconds, resetSeconds',
    hardwareLimits: 'memory, cpus, pidsLimit',
    runtime: 'resources: persistentStorage and env with {{placeholders}}',
    repos: 'Repositories that are added first: name to URL or { url, branch }',
    startup: 'automatic; manual: started only when it is named; on-demand: started by the first call',
    idleSeconds: 'An agent that starts on demand is stopped after so long without a call',
    mcp: 'How it speaks MCP: transport http (port, path) or stdio (command, idleSeconds); taskAfterSeconds: longer calls become tasks',
    calls: 'Tools of other agents that it may call: "agent", "agent/tool", or { agent: "*" or [tools] }',
    'lite-sandbox': 'Runs under bubblewrap where the workspace allows it',
    profiles: 'Values for default, dev, qa, prod and others',
    defaultProfile: 'Profile for a workspace whose active profile is not declared here',
  }),
  ...acted('both', {
    env: 'Variables: a list of NAME, NAME=default, NAME_* or objects; or an object',
    expose: 'Variables with a fixed value or a $REFERENCE',
    secrets: 'Variables that must have a value; given to the agent',
    install: 'Shell line run in the container before the service starts',
    preinstall: 'Shell line run on this machine before the container is made; needs consent',
    postinstall: 'Shell line run in the container when it is up',
    hosthook_aftercreation: 'Shell line run on this machine when the container was made; needs consent',
    hosthook_postinstall: 'Shell line run on this machine after postinstall; needs consent',
    ports: 'Published ports: [ip:]host[:container][/tcp|/udp], ranges too',
    openPorts: 'Another spelling of ports',
    volumes: 'Folder or file of the workspace to its place in the container',
    volumeOptions: 'By place in the container: chmod, makeWorldWritableSubdirs, generated, required, readOnly',
    network: 'mode (default, none, host, bridge), name and aliases, or attachments',
    enable: 'Agents that this one needs: "agent [global|devel repo] [no-wait] [as alias]" or objects',
    containerSecurity: 'privileged, gpu, shmSize',
  }),
  ...acted('profile', { mounts: 'code and skills: rw or ro' }),
  ...known('root', {
    guest: 'Sign-in of visitors',
    ploinky: 'Sign-in mode',
    pwd: 'Users with passwords',
    ssoProvider: 'Provides single sign-on',
    sso: 'Single sign-on',
    httpServices: 'Routes with their own access',
    publicServices: 'Routes without sign-in',
    webchat: 'Chat page',
    routerAccess: 'Routes and their access',
    endpoints: 'OpenAI-style endpoints',
    capabilities: 'Capabilities that other agents ask for',
    providesConfig: 'Values for other agents',
    llmRuntime: 'Language models',
  }),
  ...known('both', { configProviders: 'Agents that give values' }),
]

/** Passed through: nothing to act on. */
const INFORMATION = 'name id version ideSettings applicationPlugins identity provides $schema author license'.split(' ')

export const rootNames: readonly string[] = FIELDS.filter(({ where }) => where !== 'profile').map(({ name }) => name)
export const profileNames: readonly string[] = FIELDS.filter(({ where }) => where !== 'root').map(({ name }) => name)
export const isInformation = (name: string): boolean => INFORMATION.includes(name)
export const isActed = (name: string): boolean => FIELDS.some((field) => field.name === name && field.acted)
export const informationNames: readonly string[] = INFORMATION
