/**
 * What the original product's own tests check, and which test of ours checks the same (file and title), or why there is none:
 * `later` names the part of the product that is not built yet, `otherwise` a decision to behave differently (and its test).
 */
export interface Behaviour {
  readonly id: string
  readonly text: string
  readonly by?: readonly (readonly [file: string, title: string])[]
  readonly later?: string
  readonly otherwise?: string
}

type Tests = readonly (readonly [file: string, title: string])[]
const by = (id: string, text: string, ...tests: Tests): Behaviour => ({ id, text, by: tests })
const later = (id: string, text: string, why: string): Behaviour => ({ id, text, later: why })
const otherwise = (id: string, text: string, why: string, ...tests: Tests): Behaviour => ({
  ...{ id, text, otherwise: why, by: tests },
})

const AGENTS = 'e2e/agents.test.ts'
const CORPUS = 'e2e/corpus.test.ts'
const JOURNEY = 'e2e/journey.test.ts'
const SUPERVISION = 'e2e/supervision.test.ts'
const PLAN = 'features/agents/plan.test.ts'
const GRAPH = 'features/agents/graph.test.ts'
const RESOLVE = 'features/variables/resolve.test.ts'
const MANIFEST = 'config/manifest-fields.test.ts'
const SUPERVISOR = 'features/supervisor/supervisor.test.ts'
const POLICY = 'features/supervisor/policy.test.ts'

const CHAT = 'chat page'
const SSO = 'single sign-on and users'
const LLM = 'language model assistant'
const INVOCATION = 'signed calls between agents'

const STAGES: readonly Behaviour[] = [
  by('stages', 'prepare, start, stop, start again, restart, destroy; containers run, stop and go',
    [JOURNEY, 'starts the agent and the router, and says where they are'],
    [JOURNEY, 'stops: agents end by SIGTERM, not by the kill'],
    [JOURNEY, 'starts again from stopped, and is destroyed without a trace']),
  by('router-port', 'the port of the router is open, then closed', [JOURNEY, 'refuses a second router, naming the first'], [JOURNEY, 'starts again from stopped, and is destroyed without a trace']),
  by('agent-health', 'an agent answers /health', ['agent/http.test.ts', 'tells its health']),
  by('data-survives', 'data survives a restart', [AGENTS, 'volumes hold what is written, also when the container is made anew']),
  by('spec-hash', 'a changed environment replaces the container', [AGENTS, 'another profile gives another environment, and only that agent is replaced']),
  by('probes', 'probes: ok, then failing, then a restart', [CORPUS, 'probes pass, and nothing is restarted'], [SUPERVISOR, 'liveness restarts, ten seconds after it failed; not when it recovers before'], [SUPERVISOR, 'readiness decides whether requests are passed on']),
  by('modes', 'working folders of alias, global and devel agents', [PLAN, 'modes: the working folder, the whole workspace without its state, or a clone'], [AGENTS, 'an agent of the whole workspace sees it, but not its state'], ['features/agents/registry.test.ts', 'is enabled under a second name, in another mode']),
  by('repos-of-manifest', 'enable and repos of a manifest bring agents and clones', ['features/repos/update.test.ts', 'adds what the manifest of a repository on this machine asks for, and says from where'], [GRAPH, 'gives waves by the longest way, and enables what is needed, under its alias']),
  by('manifest-parts', 'variables, volumes, ports, marks of install and postinstall', [CORPUS, '%s: the container is what was planned'], [CORPUS, 'volumes: made with their modes, written, and kept'], [CORPUS, 'ports: the service is reached on the port that was declared'], [CORPUS, 'hooks left their marks, in their order']),
  by('read-only-in-prod', 'code and skills are read-only in prod', [CORPUS, 'in production, code and skills are read-only'], [PLAN, 'the package is never writable, code only in the dev profile']),
  by('recursive-order', 'dependencies start in recursive order', [AGENTS, 'what an agent needs comes first, under its alias; what nobody waits for comes too']),
  by('readiness-override', 'readiness: overridden, and tcp for start alone', [MANIFEST, 'ready is an open port for start alone, MCP as soon as there is an agent line'], [AGENTS, 'a tcp port counts as ready when the program listens, not when the engine forwards it']),
  otherwise('broken-dependency', 'a broken dependency keeps the router from starting', 'it keeps those that need it from starting; the others and the router run, and the exit code says so', [AGENTS, 'one that fails stops those that need it, not the others, and the exit code says so']),
  by('watchdog', 'router and containers come back when they are killed', [SUPERVISION, 'the router: killed, it comes back by itself and restarts no agent'], [SUPERVISION, 'killed by hand: 503 with a time to come back, then back']),
  by('status', 'status says what is', [SUPERVISION, 'a program that crashes: refused with the reason, explained in status, started again']),
  otherwise('dashboard-run', 'the dashboard runs commands', 'through the API of named commands; no command line is taken', [JOURNEY, 'restarts an agent through the API of the dashboard']),
  by('static-files', 'static files and their types', ['http/static.test.ts', 'is sent with its type, length, tag and time'], [JOURNEY, 'serves the page of the agent and the files of the static agent']),
  by('variables', 'var, vars, echo, expose', ['e2e/variables.test.ts', 'NAME=value, $OTHER, --stdin and --unset'], ['e2e/variables.test.ts', 'expose: listed, taken back, kept in the workspace and not in the repository']),
  later('live-app-name', 'a changed APP_NAME or shell counts at once', 'terminal and chat pages'),
  otherwise('legacy-login', 'logins by legacy tokens are refused (410)', 'they never were there; a code in the address works once', ['e2e/http-signin.test.ts', 'is exchanged once for a cookie, and leaves the address']),
  later('webchat', 'alias, logout and sign-in parameters of the chat', CHAT),
  by('blobs', 'blobs are uploaded and downloaded', ['features/blobs/service.test.ts', 'stores the bytes, their hash and a description'], ['features/blobs/routes.test.ts', 'gives the same bytes, and headers that no browser can be tricked with']),
  later('client', 'client list, status and tool; all agents behind one address; tasks', 'aggregate MCP endpoint and tasks'),
  by('disable-repo', 'a repository is disabled', ['e2e/repositories.test.ts', 'disable keeps the files and names the agents that are left; removing asks']),
  by('logs', 'logs: the last lines, and following', [JOURNEY, 'shows the logs of the agent and of the router'], ['features/logs/rotation.test.ts', 'reads across files, from the last bytes, and goes on where it was']),
  later('llm-suggestion', 'an unknown command is given to a language model', LLM),
  by('shutdown-record', 'the shutdown is recorded', [SUPERVISION, 'stop ends the watchdog too, also while it waits']),
  later('keycloak', 'sign-in through Keycloak', SSO),
] // prettier-ignore

const UNITS: readonly Behaviour[] = [
  by('graph', 'dependency graph: aliases, modes, no-wait of each edge, awaited wins', [GRAPH, 'gives waves by the longest way, and enables what is needed, under its alias'], [GRAPH, 'what only stands behind edges that nobody waits for is in the background'], ['features/manifests/corpus.test.ts', 'a manifest of the corpus']),
  otherwise('cycles', 'a circle is cut, with a line in the log', 'it is refused by name; a no-wait edge opens it', [GRAPH, 'names a circle'], [GRAPH, 'a circle with an edge that nobody waits for is none']),
  later('graph-sso', 'a provider of sign-in is a dependency of those that use it', SSO),
  by('readiness-protocol', 'the protocol of readiness is inferred', [MANIFEST, 'ready is an open port for start alone, MCP as soon as there is an agent line']),
  by('hash', 'the hash covers ports and environment', ['contract/runtime/apply.ts', "replaced('port'"]),
  by('wildcards', 'wildcards in names of variables', [RESOLVE, 'look into all three places, with the same precedence'], [RESOLVE, 'a bare one leaves out API keys and what describes this machine'], [CORPUS, 'wildcards bring what fits, and nothing else']),
  by('profiles', 'profiles: default, merge, hooks, mounts', [MANIFEST, "describe('profiles'"], [AGENTS, 'another profile gives another environment, and only that agent is replaced'], ['features/manifests/corpus.test.ts', 'a manifest of the corpus']),
  by('profile-secrets', 'secrets of profiles from environment, .secrets and .env', [RESOLVE, 'need a value of their own: a default is none'], ['e2e/variables.test.ts', 'says where a value comes from: the environment and the nearest .env']),
  by('hook-order', 'hooks run in their order', [AGENTS, 'hooks run in their order; those on this machine only when they are allowed']),
  by('volumes-confined', 'volumes stay inside, generated and required ones have to be there', [PLAN, 'volumes are inside the workspace, and none of its state'], ['features/agents/volumes.test.ts', 'does not make what is required, or what somebody else writes']),
  otherwise('podman-staging', 'links are staged for podman', 'folders are mounted as they are; what leads out of them is refused', ['features/repos/catalog.test.ts', 'and its code is its own: a link to the rest of the machine is not mounted']),
  by('dependency-cache', 'packages are installed once for a kind of runtime and a set of needs', ['features/dependencies/dependencies.test.ts', 'installs once for a kind of runtime and a set of needs, and anew for other needs']),
  by(
    'sandbox',
    'bubblewrap: its arguments, and the system read-only over everything',
    ['runtimes/bwrap/arguments.test.ts', 'unshares everything but the network, and that too when the spec says so'],
    ['runtimes/bwrap/arguments.test.ts', 'lays the system over everything of the agent, and locks it last'],
  ),
  later('seatbelt', 'seatbelt of macOS: arguments, read-only overlays', 'sandbox runtime of macOS'),
  later('jwt', 'signed calls: tampering, audience, tool, replay, lifetime; delegation', INVOCATION),
  by('master-key', 'master key, HKDF, encrypted secrets', ['features/variables/derive.test.ts', 'are HKDF-SHA256 under named purposes'], ['features/secrets/secrets.test.ts', 'refuses without the key, with another key, and anything that was changed']),
  later('users', 'guests, users, the last administrator, sign-in bridge', SSO),
  by('arguments', 'what a tool did not declare is dropped', ['agent/arguments.test.ts', 'drops what nobody declared, also in nested objects, and keeps what an object leaves open']),
  later('task-queue', 'tasks are queued and survive', 'durable tasks'),
  by('tool-errors', 'the error of a tool has its text', ['agent/demo.test.ts', 'shows the error of a failing tool as a result'], ['agent/parts.test.ts', 'is clipped at a whole character']),
  by('backoff', 'pauses between restarts, and the breaker', [POLICY, 'doubles the pause, and gives up after five restarts within a minute'], [POLICY, 'begins anew after a stable run']),
  by('probe-defaults', 'defaults of probes', ['features/manifests/corpus.test.ts', 'a manifest of the corpus'], ['features/supervisor/prober.test.ts', 'turns by its thresholds, and back']),
  later('webchat-parts', 'envelope, references, uploads, suggestions, buffering, menus', CHAT),
  by('parameters', 'parameters are parsed', ['cli/parse.test.ts', 'parseArgv() reads values']),
  by('skills', 'skills are refreshed', ['features/skills/skills.test.ts', 'updates what it made, and keeps what a person made or changed']),
  by('update', 'repositories are updated and repaired', ['features/repos/update.test.ts', 'moves to what the source has now, time after time'], ['features/repos/update.test.ts', 'fetches what is known and missing']),
] // prettier-ignore

export const BEHAVIOURS: readonly Behaviour[] = [...STAGES, ...UNITS]
