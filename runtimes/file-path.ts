/** Paths of files in an instance, before anybody is asked about them. */
import { posix } from 'node:path'
import { PloinkyError } from '../src/core/error.ts'

const MAX_PATH_BYTES = 4096
const MAX_NAME_BYTES = 255
/** The kernel's and the devices: reading there may never end, and writing is no upload. */
const KERNEL = /^\/(?:proc|sys|dev)(?:\/|$)/

/** Entries of one listing, unless the caller wants fewer. */
export const LIST_LIMIT = 5000

export interface FilePath {
  /** Absolute and normal. */
  readonly path: string
  readonly folder: string
  /** '' for the root folder. */
  readonly name: string
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength

/** `base` is the working folder. REQUEST_INVALID for what is no path, DENIED for the kernel's folders. */
export function parseFilePath(path: string, base: string): FilePath {
  const refuse = (why: string): PloinkyError =>
    new PloinkyError('REQUEST_INVALID', `Not a path of a file: ${JSON.stringify(path.slice(0, 200))} ${why}`, {
      hint: 'Give a path in the agent, for example: notes/today.md',
    })
  if (path.includes('\0')) throw refuse('holds a NUL byte')
  if (/\p{Cs}/u.test(path)) throw refuse('is not Unicode')
  const whole = posix.normalize(posix.join('/', posix.isAbsolute(path) ? '' : base, path)).replace(/(?<=.)\/+$/, '')
  if (bytesOf(whole) > MAX_PATH_BYTES) throw refuse('is too long')
  if (whole.split('/').some((part) => bytesOf(part) > MAX_NAME_BYTES)) throw refuse('has a name that is too long')
  if (KERNEL.test(whole)) throw denied(whole, 'it is of the kernel or a device')
  return { path: whole, folder: posix.dirname(whole), name: posix.basename(whole) }
}

export const isKernelPath = (path: string): boolean => KERNEL.test(path)

/** A name as a listing may give it: one segment. */
export const isEntryName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)

const shown = (path: string): string => JSON.stringify(path.slice(0, 300))
const details = (path: string) => ({ details: { path: path.slice(0, 300) } })

export const notFound = (path: string): PloinkyError =>
  new PloinkyError('FILE_NOT_FOUND', `No such file or folder in the agent: ${shown(path)}`, {
    hint: 'See what is there: ploinky files <agent>',
    ...details(path),
  })
export const denied = (path: string, why: string): PloinkyError =>
  new PloinkyError('DENIED', `Not possible at ${shown(path)}: ${why}`, {
    hint: "Use a folder that the agent's own user may use, such as its working folder",
    ...details(path),
  })
export const notFile = (path: string): PloinkyError =>
  new PloinkyError('REQUEST_INVALID', `Not a file: ${shown(path)}`, {
    hint: 'Only files can be read and written: name one in the folder',
    ...details(path),
  })
export const notFolder = (path: string): PloinkyError =>
  new PloinkyError('REQUEST_INVALID', `Not a folder: ${shown(path)}`, {
    hint: 'Name the folder that it is in',
    ...details(path),
  })
export const exists = (path: string): PloinkyError =>
  new PloinkyError('CONFLICT', `There is a file already: ${shown(path)}`, {
    hint: 'Say that it may be replaced: --overwrite (over HTTP: overwrite=true), or choose another name',
    ...details(path),
  })
export const unwritten = (path: string, why: string): PloinkyError =>
  new PloinkyError('RUNTIME_FAILED', `Not written: ${shown(path)}: ${why}`, {
    hint: 'Free some space where the agent keeps its files, then try again',
    ...details(path),
  })
export const cutShort = (path: string): PloinkyError =>
  new PloinkyError('RUNTIME_FAILED', `The file became shorter while it was read: ${shown(path)}`, {
    hint: 'Try again',
    ...details(path),
  })
export const wrongSize = (path: string): PloinkyError =>
  new PloinkyError('REQUEST_INVALID', `Not as many bytes as were announced: ${shown(path)}`, {
    hint: 'Send the whole file; nothing was changed',
    ...details(path),
  })
