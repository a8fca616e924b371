/** Virtual endpoints: a chosen, renamed, re-described part of what the agents offer, served at `/mcp/<name>`. */
import { type Chosen, endpointsDocument, type VirtualEndpoint } from '../../config/documents.ts'
import { PloinkyError } from '../../core/error.ts'
import { assertName, nearest, own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'

export interface EndpointWords {
  /** `agent/tool` or `agent/tool=newname` */
  readonly tools: readonly string[]
  readonly prompts: readonly string[]
  /** `agent/uri`, or `agent/*` for all of an agent */
  readonly resources: readonly string[]
  /** `shown name=text` for tools and prompts. */
  readonly descriptions: readonly string[]
  /** Replaces one of the same name. */
  readonly replace: boolean
}

export interface Endpoints {
  list(): Promise<Readonly<Record<string, VirtualEndpoint>>>
  /** @throws ROUTE_NOT_FOUND with the nearest name */
  get(name: string): Promise<VirtualEndpoint>
  create(name: string, words: EndpointWords): Promise<VirtualEndpoint>
  remove(name: string): Promise<void>
}

export function createEndpoints(store: Store): Endpoints {
  const list = async () => (await store.read(endpointsDocument)).endpoints

  async function get(name: string): Promise<VirtualEndpoint> {
    const all = await list()
    const found = own(all, name)
    if (found !== undefined) return found
    const near = nearest(name, Object.keys(all))
    throw new PloinkyError('ROUTE_NOT_FOUND', `No MCP endpoint "${name.slice(0, 100)}"`, {
      hint: near === null ? 'Run: ploinky mcp endpoint list' : `Did you mean "${near}"?`,
      details: { known: Object.keys(all) },
    })
  }

  return {
    list,
    get,
    async create(name, words) {
      assertName('endpoint', name)
      const endpoint = parseEndpoint(words)
      await store.update(endpointsDocument, ({ endpoints }) => {
        if (own(endpoints, name) !== undefined && !words.replace)
          throw new PloinkyError('CONFLICT', `There is an MCP endpoint "${name}" already`, {
            hint: `Replace it with --replace, or run: ploinky mcp endpoint remove ${name}`,
          })
        return { endpoints: { ...endpoints, [name]: endpoint } }
      })
      return endpoint
    },
    async remove(name) {
      await get(name)
      await store.update(endpointsDocument, ({ endpoints }) => {
        const { [name]: _removed, ...others } = endpoints
        return { endpoints: others }
      })
    },
  }
}

const invalid = (message: string, hint: string): PloinkyError => new PloinkyError('USAGE_INVALID', message, { hint })

function parseEndpoint({ tools, prompts, resources, descriptions }: EndpointWords): VirtualEndpoint {
  if (tools.length + prompts.length + resources.length === 0)
    throw invalid('An endpoint of nothing', 'Choose with --tools, --prompts or --resources: --tools demo/echo')
  const texts = new Map(descriptions.map(parseDescription))
  const chosen = { tools: parseNamed('tool', tools, texts), prompts: parseNamed('prompt', prompts, texts) }
  const shown = new Set([...chosen.tools, ...chosen.prompts].map(({ as }) => as))
  for (const name of texts.keys())
    if (!shown.has(name))
      throw invalid(`A description for "${name}", which is not in the endpoint`, `Shown are: ${[...shown].join(', ')}`)
  return { ...chosen, resources: resources.map(parseResource), createdAt: new Date().toISOString() }
}

function splitAgent(what: string, word: string): { agent: string; rest: string } {
  const slash = word.indexOf('/')
  const rest = word.slice(slash + 1)
  if (slash < 1 || rest === '')
    throw invalid(`Not a ${what} of an agent: ${JSON.stringify(word.slice(0, 100))}`, `Write it as agent/${what}`)
  return { agent: assertName('agent', word.slice(0, slash)), rest }
}

function parseNamed(what: string, words: readonly string[], texts: ReadonlyMap<string, string>): Chosen[] {
  const seen = new Set<string>()
  return words.map((word) => {
    const { agent, rest } = splitAgent(what, word)
    const equals = rest.indexOf('=')
    const name = equals < 0 ? rest : rest.slice(0, equals)
    const as = equals < 0 ? rest : rest.slice(equals + 1)
    if (name === '' || !/^[A-Za-z0-9_./-]{1,128}$/.test(as))
      throw invalid(
        `Not a name for a ${what}: ${JSON.stringify(as.slice(0, 100))}`,
        'Use letters, digits, "_", "-", "." and "/"',
      )
    if (seen.has(as))
      throw invalid(`Two ${what}s would be called "${as}"`, `Rename one: --${what}s ${agent}/${name}=${agent}-${name}`)
    seen.add(as)
    return { agent, name, as, description: texts.get(as) ?? null }
  })
}

function parseResource(word: string): { agent: string; uri: string } {
  const { agent, rest } = splitAgent('resource', word)
  return { agent, uri: rest }
}

function parseDescription(word: string): [string, string] {
  const equals = word.indexOf('=')
  if (equals < 1)
    throw invalid(
      `Not a description: ${JSON.stringify(word.slice(0, 100))}`,
      'Write it as: --description "echo=Says it again"',
    )
  return [word.slice(0, equals), word.slice(equals + 1).trim()]
}
