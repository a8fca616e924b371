// The table of .github/ARCHITECTURE.md as rules of dependency-cruiser.
// layers.test.ts runs them on the tree, and each of them on a small tree that breaks it.

/** Types cost nothing and carry nothing: a port is given as a value, and named as a type. */
const NOT_TYPES = { dependencyTypesNot: ['type-only', 'type-import'] }
/** Libraries that touch processes, sockets or the operating system. */
const PROCESS_LIBRARIES = 'node_modules/(?:execa|ws|@hono/node-server|@lydell/node-pty)/'
/** The program in the containers and the builders run by themselves. */
const PROGRAMS = '^src/(?:platform|agent|tools|repositories)/'
const PRODUCT = '^(?:src|runtimes|public)/'

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
export const rules = [
  { name: 'no-circular', comment: 'A circle has no bottom', from: {}, to: { circular: true } },
  { name: 'no-unresolvable', comment: 'Every import exists', from: { path: PRODUCT }, to: { couldNotResolve: true } },
  {
    name: 'core-is-leaf',
    comment: 'The words of the domain know nothing else',
    from: { path: '^src/core/' },
    to: { pathNot: '^src/core/|node_modules/(?:zod|nanoid)/' },
  },
  {
    name: 'config-knows-only-core',
    comment: 'Settings and manifests are read the same way everywhere',
    from: { path: '^src/config/' },
    to: { pathNot: '^src/(?:core|config)/|node_modules/zod/|^path$' },
  },
  {
    name: 'builtins-only-in-platform',
    comment: 'What Node or Deno give arrives by the Platform port; node:path is pure',
    from: { path: PRODUCT, pathNot: PROGRAMS },
    to: { dependencyTypes: ['core'], pathNot: '^(?:node:)?path$' },
  },
  {
    name: 'process-libraries-only-in-platform',
    comment: 'One spawner, one server, one terminal',
    from: { path: PRODUCT, pathNot: PROGRAMS },
    to: { path: PROCESS_LIBRARIES },
  },
  {
    name: 'platform-is-below',
    comment: 'The platform serves all others and knows none of them',
    from: { path: '^src/platform/' },
    to: { path: PRODUCT, pathNot: '^src/(?:platform|core|config)/' },
  },
  {
    name: 'only-compose-picks-runtimes',
    comment: 'Others are given an adapter, and ask for its capabilities',
    from: { path: '^src/', pathNot: '^src/compose(?:\\.ts$|/)' },
    to: { path: '^runtimes/', pathNot: '^runtimes/adapter\\.ts$' },
  },
  {
    name: 'runtimes-know-only-core',
    comment: 'An adapter can be written without reading the rest',
    from: { path: '^runtimes/' },
    to: { path: '^(?:src|public)/', pathNot: '^src/core/', ...NOT_TYPES },
  },
  {
    name: 'runtimes-types-from-core-or-platform',
    comment: 'Not even the types of features',
    from: { path: '^runtimes/' },
    to: { path: '^(?:src|public)/', pathNot: '^src/(?:core|platform)/' },
  },
  {
    name: 'adapters-are-strangers',
    comment: 'What adapters share is in runtimes/cli/ and runtimes/process/',
    from: { path: '^runtimes/([^/]+)/' },
    to: { path: '^runtimes/[^/]+/', pathNot: '^runtimes/(?:$1|cli|process)/' },
  },
  {
    name: 'engines-run-no-processes',
    comment: 'What drives an engine owes nothing to what keeps plain processes itself',
    from: { path: '^runtimes/(?:cli|docker|podman|fake)/' },
    to: { path: '^runtimes/process/' },
  },
  {
    name: 'features-meet-at-the-door',
    comment: 'The inside of a feature may change',
    from: { path: '^src/features/([^/]+)/' },
    to: { path: '^src/features/[^/]+/', pathNot: '^src/features/(?:$1/|[^/]+/index\\.ts$)' },
  },
  {
    name: 'features-are-given-ports',
    comment: 'A feature runs on every platform; it shares the command contract and the tools of HTTP',
    from: { path: '^src/features/' },
    to: { path: '^src/', pathNot: '^src/(?:core|config|features|http|agent)/|^src/cli/command\\.ts$', ...NOT_TYPES },
  },
  {
    name: 'agent-server-only-in-mcp',
    comment: 'Only images without Node have their server half in the router',
    from: { path: '^(?:src|runtimes)/', pathNot: '^src/(?:agent|tools|features/mcp)/' },
    to: { path: '^src/agent/' },
  },
  {
    name: 'agent-stands-alone',
    comment: 'One file is mounted into every container',
    from: { path: '^src/agent/' },
    to: { path: '^(?:src|runtimes|public)/', pathNot: '^src/(?:agent|core)/' },
  },
  {
    name: 'http-is-given-features',
    comment: 'The front knows principals and routes, not what they are for; it shares the command contract',
    from: { path: '^src/http/' },
    to: {
      path: '^(?:src|runtimes)/',
      pathNot: '^src/(?:core|config|http)/|^src/cli/(?:command|values)\\.ts$',
      ...NOT_TYPES,
    },
  },
  {
    name: 'cli-is-given-features',
    comment: 'The command line knows the table, not what is in it; bin.ts and describe.ts start the program',
    from: { path: '^src/cli/', pathNot: '^src/cli/(?:bin|describe)\\.ts$' },
    to: { path: '^(?:src|runtimes)/', pathNot: '^src/(?:core|cli)/', ...NOT_TYPES },
  },
  {
    name: 'browser-sees-types-only',
    comment:
      'Nothing of the server reaches a page, but what both ends of a terminal keep to: its numbers, and how sequences are found',
    from: { path: '^public/' },
    to: {
      path: '^(?:src|runtimes)/',
      pathNot: '^src/features/terminals/(?:protocol|sequence-watch)\\.ts$',
      ...NOT_TYPES,
    },
  },
  {
    name: 'nobody-needs-builders-or-tests',
    comment: 'They are not in the package',
    from: { path: PRODUCT, pathNot: '^src/tools/' },
    to: { path: '^(?:src/tools|test)/' },
  },
  {
    name: 'shipped-agents-stand-alone',
    comment: 'A repository is data: it would work from any other place',
    from: { path: '^src/repositories/' },
    to: { path: '^(?:src|runtimes|public|test)/', pathNot: '^src/repositories/' },
  },
]

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    // Type-only edges are invisible without it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
}
