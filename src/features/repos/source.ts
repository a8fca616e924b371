/** Where a repository comes from: the text that a person or a manifest gives, told apart and checked. Nothing is fetched here. */
import { join, resolve } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import { Secret } from '../../core/secret.ts'
import type { FileSystem } from '../../platform/index.ts'

export interface Source {
  readonly kind: 'git' | 'folder' | 'archive'
  /** Address, or absolute path; never with credentials. A git folder is a `file://` address. */
  readonly location: string
  /** On this machine: its files are already trusted with whatever its owner may do. */
  readonly local: boolean
  /** Sealed `Credentials` of the address. */
  readonly auth: Secret | null
}

export interface Credentials {
  readonly user: string
  readonly password: string
  /** What stands behind "?" in the address of an archive: often a signature. */
  readonly query: string
}

export interface SourceOptions {
  fs: FileSystem
  /** Folder that relative paths start from. */
  cwd: string
  /** False: an address that others gave; nothing of this machine can be meant. */
  allowLocal: boolean
  /** Takes a git folder as a plain one, to be used in place. */
  link?: boolean
}

const MAX_SOURCE = 2000
const ARCHIVE = /\.(?:tar|tar\.gz|tgz|zip)$/i
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i
/** `git@host:path`, as ssh writes it. */
const SCP = /^(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*:(?![/\\]{2})[^:]/
const GIT_SCHEMES = new Set(['http', 'https', 'ssh', 'git'])

export const NO_CREDENTIALS: Credentials = { user: '', password: '', query: '' }

export function openCredentials(auth: Secret | null): Credentials {
  return auth === null || auth.reveal() === '' ? NO_CREDENTIALS : (JSON.parse(auth.reveal()) as Credentials)
}

/** Text that is safe to show, whatever git or a person put in front of the host. */
export const withoutCredentials = (text: string): string => text.replace(/(\w:\/\/)[^/@\s]*@/g, '$1')

function invalid(text: string, problem: string): PloinkyError {
  const shown = withoutCredentials(text.slice(0, 200)).replace(/\?.*/s, '')
  return new PloinkyError('USAGE_INVALID', `Not a source of a repository: ${JSON.stringify(shown)}: ${problem}`, {
    hint: 'Give an address (https, ssh, git), a folder or an archive: ploinky add repo NAME https://example.com/agents.git',
  })
}

/** Looks like a source rather than a name: `add repo ./agents` needs no name. */
export const looksLikeSource = (text: string): boolean => !isName(text) || ARCHIVE.test(text)

/** A name from the last part of a source; null when that is none. */
export function nameFromSource(location: string): string | null {
  const last =
    location
      .replace(/[/\\]+$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  const name = last.replace(ARCHIVE, '').replace(/\.git$/i, '')
  return isName(name) ? name : null
}

/** USAGE_INVALID for what is no branch or tag of git (git-check-ref-format(1)), or could be taken for an option. */
export function checkBranch(branch: string): string {
  const isBad =
    branch.length > 200 ||
    !/^[^-/+.]/.test(branch) ||
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[/.]$/.test(branch) ||
    branch === '@'
  if (!isBad) return branch
  throw new PloinkyError('USAGE_INVALID', `Not a branch or tag: ${JSON.stringify(branch.slice(0, 100))}`, {
    hint: 'Name one that the repository has: ploinky add repo NAME SOURCE --branch main',
  })
}

export async function parseSource(text: string, options: SourceOptions): Promise<Source> {
  if (text === '' || text.length > MAX_SOURCE) throw invalid(text, `expected 1 to ${MAX_SOURCE} characters`)
  if (text.startsWith('-')) throw invalid(text, 'it could be taken for an option')
  if (/[\u0000-\u001f\u007f]/.test(text)) throw invalid(text, 'it holds a control character')
  // "ext::sh -c ..." would have git run a program.
  if (/^[\w+.-]*::/.test(text)) throw invalid(text, 'remote helpers run programs, and are refused')
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined) return await parseAddress(text, scheme, options)
  if (SCP.test(text) && (!options.allowLocal || (await options.fs.lstat(resolve(options.cwd, text))) === null))
    return { kind: 'git', location: text, local: false, auth: null }
  return await localSource(text, resolve(options.cwd, text), options)
}

/** `URL.parse` of newer runtimes. */
const readUrl = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)

async function parseAddress(text: string, scheme: string, options: SourceOptions): Promise<Source> {
  const url = readUrl(text)
  if (url === null) throw invalid(text, 'the address cannot be read')
  if (scheme === 'file') return await localSource(text, pathOf(text, url), options)
  if (!GIT_SCHEMES.has(scheme)) throw invalid(text, `"${scheme}" is not among https, http, ssh, git and file`)
  if (url.hostname === '' || url.hostname.startsWith('-')) throw invalid(text, 'it names no host')
  const isArchive = scheme.startsWith('http') && ARCHIVE.test(url.pathname)
  const auth = takeCredentials(text, url, isArchive)
  url.hash = ''
  return { kind: isArchive ? 'archive' : 'git', location: url.href, local: false, auth }
}

/** Takes user, password and signature out of the address. The user of ssh is part of the place, not a secret. */
function takeCredentials(text: string, url: URL, isArchive: boolean): Secret | null {
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part)
    } catch {
      throw invalid(text, 'its credentials are not encoded as in an address')
    }
  }
  const isSsh = url.protocol === 'ssh:'
  if (isSsh && url.password !== '') throw invalid(text, 'ssh takes no password; use a key')
  const credentials: Credentials = {
    user: isSsh ? '' : decode(url.username),
    password: decode(url.password),
    query: isArchive ? url.search : '',
  }
  // They are told to git line by line.
  if (/[\u0000-\u001f]/.test(credentials.user + credentials.password))
    throw invalid(text, 'its credentials hold a control character')
  if (!isSsh) url.username = ''
  url.password = ''
  if (isArchive) url.search = ''
  const isEmpty = credentials.user === '' && credentials.password === '' && credentials.query === ''
  return isEmpty ? null : new Secret(JSON.stringify(credentials))
}

function pathOf(text: string, url: URL): string {
  if (url.hostname !== '' && url.hostname !== 'localhost') throw invalid(text, 'files of another host')
  try {
    return decodeURIComponent(url.pathname)
  } catch {
    throw invalid(text, 'the address cannot be read')
  }
}

/** A git folder as an address that git reads like any other: a shallow clone, nothing shared with the original. */
export const fileUrl = (path: string): string => `file://${path.split('/').map(encodeURIComponent).join('/')}`

async function localSource(text: string, path: string, { fs, allowLocal, link }: SourceOptions): Promise<Source> {
  if (!allowLocal) throw invalid(text, 'folders and archives of this machine are taken from its own command line only')
  const real = await fs.realPath(path)
  const info = real === null ? null : await fs.stat(real)
  if (real === null || info === null) {
    throw new PloinkyError('REPO_NOT_FOUND', `No such folder or archive: "${path}"`, {
      hint: `Look for it: ls -ld ${JSON.stringify(path)}`,
    })
  }
  if (info.kind === 'file') {
    if (!ARCHIVE.test(real)) throw invalid(text, 'it is a file, but not .tar, .tar.gz, .tgz or .zip')
    return { kind: 'archive', location: real, local: true, auth: null }
  }
  if (info.kind !== 'directory') throw invalid(text, 'it is neither a folder nor an archive')
  if (link !== true && (await isGitFolder(fs, real)))
    return { kind: 'git', location: fileUrl(real), local: true, auth: null }
  return { kind: 'folder', location: real, local: true, auth: null }
}

async function isGitFolder(fs: FileSystem, path: string): Promise<boolean> {
  if ((await fs.stat(join(path, '.git'))) !== null) return true
  const bare = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => fs.stat(join(path, name))))
  return bare[0]?.kind === 'file' && bare[1]?.kind === 'directory' && bare[2]?.kind === 'directory'
}

/** The same place in two spellings gives the same text: with or without ".git", by ssh or https. */
export function canonical(location: string): string {
  const scp = SCHEME.test(location) ? null : /^(?:[\w.-]+@)?([\w.-]+):(.*)$/s.exec(location)
  const url = scp === null ? readUrl(location) : null
  const [host, path] =
    scp !== null ? [scp[1] ?? '', `/${scp[2] ?? ''}`] : url !== null ? [url.host, url.pathname] : ['', location]
  return `${host.toLowerCase()}${path
    .replace(/\/+/g, '/')
    .replace(/\/$/, '')
    .replace(/\.git$/, '')}`
}
