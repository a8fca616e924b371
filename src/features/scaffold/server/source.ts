/** Which published server is meant: the words of the command line, checked. Pure. */
import { splitWords } from '../../../config/manifest/words.ts'
import { PloinkyError } from '../../../core/error.ts'
import { isName } from '../../../core/id.ts'

export interface ServerWords {
  readonly npm: string | null
  readonly pypi: string | null
  readonly image: string | null
  readonly command: string | null
  readonly args: readonly string[]
  /** `NAME`, `NAME=value` or `NAME=$VARIABLE`. */
  readonly env: readonly string[]
  /** Port of a server that speaks HTTP. */
  readonly http: number | null
  /** Which program of a package. */
  readonly bin: string | null
  readonly name: string | null
}

export type Source =
  | { readonly kind: 'npm'; readonly name: string; readonly range: string | null }
  | { readonly kind: 'pypi'; readonly name: string; readonly extras: string; readonly version: string | null }
  | { readonly kind: 'image'; readonly reference: string; readonly argv: readonly string[] | null }
  | { readonly kind: 'command'; readonly argv: readonly string[] }

export interface EnvOf {
  readonly name: string
  /** Variable of the workspace that it is taken from. */
  readonly from: string | null
  readonly value: string | null
}

const NPM_NAME = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i
const NPM_RANGE = /^[\w.^~<>=| *+-]{1,64}$/
const VERSION = /^\d[\w.!+-]{0,63}$/
const PYPI =
  /^(?<name>[A-Za-z0-9](?:[\w.-]{0,98}[A-Za-z0-9])?)(?<extras>\[[\w.,-]{1,100}\])?(?:(?:==|@)(?<version>.+))?$/
const REFERENCE = /^[A-Za-z0-9][\w./:@-]{0,254}$/
const VARIABLE = /^[A-Za-z_]\w{0,127}$/

const invalid = (message: string, hint: string): PloinkyError => new PloinkyError('USAGE_INVALID', message, { hint })
const quote = (text: string): string => JSON.stringify(text.slice(0, 100))

function parseNpm(text: string): Source {
  const at = text.indexOf('@', 1)
  const [name, range] = at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
  if (name.startsWith('-') || !NPM_NAME.test(name) || (range !== null && !NPM_RANGE.test(range)))
    throw invalid(`Not a package of npm: ${quote(text)}`, 'Write: --npm NAME, or --npm NAME@VERSION')
  return { kind: 'npm', name, range }
}

function parsePypi(text: string): Source {
  const found = PYPI.exec(text)?.groups
  const version = found?.['version'] ?? null
  if (found?.['name'] === undefined || (version !== null && !VERSION.test(version)))
    throw invalid(`Not a package of PyPI: ${quote(text)}`, 'Write: --pypi NAME==VERSION')
  return { kind: 'pypi', name: found['name'], extras: found['extras'] ?? '', version }
}

function parseCommand(text: string): readonly string[] {
  const { words, closed } = splitWords(text)
  if (closed && words.length > 0 && words[0] !== '') return words
  throw invalid(`Not a command: ${quote(text)}`, 'Write: --command "program argument", every quote closed')
}

export function parseSourceWords({ npm, pypi, image, command }: ServerWords): Source {
  const given = [npm, pypi, image].filter((value) => value !== null)
  if (given.length > 1 || (command !== null && (npm !== null || pypi !== null)))
    throw invalid('More than one source is given', 'Give one of --npm, --pypi, --image and --command')
  if (npm !== null) return parseNpm(npm)
  if (pypi !== null) return parsePypi(pypi)
  const argv = command === null ? null : parseCommand(command)
  if (image === null) return { kind: 'command', argv: argv ?? parseCommand('') }
  if (REFERENCE.test(image)) return { kind: 'image', reference: image, argv }
  throw invalid(`Not an image: ${quote(image)}`, 'Write: --image ghcr.io/owner/server:1.2.3')
}

export function parseEnv(entries: readonly string[]): EnvOf[] {
  return entries.map((entry) => {
    const at = entry.indexOf('=')
    const name = at === -1 ? entry : entry.slice(0, at)
    const value = at === -1 ? null : entry.slice(at + 1)
    const from = value?.startsWith('$') === true ? value.slice(1).replace(/^\{(.*)\}$/, '$1') : null
    if (VARIABLE.test(name) && (from === null || VARIABLE.test(from))) {
      return { name, from, value: from === null ? value : null }
    }
    throw invalid(`Not a variable: ${quote(name)}`, "Write: --env NAME, --env NAME=value or --env 'NAME=$VARIABLE'")
  })
}

/** A name from the last part of what was given; NAME_INVALID where none can be taken from it. */
export function agentNameOf(source: Source, given: string | null): string {
  const last =
    source.kind === 'image'
      ? (source.reference.split('@', 1)[0] ?? '').split('/').at(-1)?.split(':', 1)[0]
      : source.kind === 'command'
        ? undefined
        : source.name.split('/').at(-1)
  const name =
    given ??
    (last ?? '')
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '')
  if (isName(name)) return name
  throw new PloinkyError('NAME_INVALID', given === null ? 'Which name?' : `Not a name for an agent: ${quote(given)}`, {
    hint: 'Give one: --name NAME (letters, digits, ".", "-" and "_")',
  })
}
