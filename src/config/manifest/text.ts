/** Texts of a manifest that end up in an argv, a request line or an image reference: refused here, with their key path. */
import { type Problem, show } from '../check.ts'

/** Linux takes no longer word in an argv or an environment (MAX_ARG_STRLEN); nothing real comes near it. */
export const MAX_WORD_BYTES = 128 * 1024 - 1

/** Line breaks and tabs are fine in a shell line; the other controls would only hide something. */
const CONTROL = /(?![\n\t])\p{Cc}/u
/** A reference; `${NAME}` in it takes a variable when the agent starts. */
const IMAGE = /^(?:[A-Za-z0-9]|\$\{\w+\})(?:[A-Za-z0-9._:/@-]|\$\{\w+\}){0,511}$/

interface Texts {
  readonly container?: string | undefined
  readonly image?: string | undefined
  readonly workdir?: string | undefined
  readonly agent?: string | undefined
  readonly start?: string | undefined
  readonly cli?: string | undefined
  readonly run?: string | undefined
  readonly commands?: { readonly run?: string | undefined; readonly cli?: string | undefined } | undefined
  readonly entrypoint?: string | readonly string[] | undefined
  readonly readiness?: { readonly path?: string | undefined } | undefined
}

/** What is wrong with a text that a program or an engine will be given; null when nothing is. */
export function textProblem(value: string): string | null {
  if (CONTROL.test(value)) return 'control characters are not allowed'
  // Three bytes a character at most: only long texts are measured.
  if (value.length * 3 > MAX_WORD_BYTES && new TextEncoder().encode(value).byteLength > MAX_WORD_BYTES) {
    return `longer than ${MAX_WORD_BYTES} bytes, which no program can be given`
  }
  return null
}

export function checkTexts(raw: Texts, problems: Problem[]): void {
  const texts: [path: string, value: string | undefined][] = [
    ['container', raw.container],
    ['image', raw.image],
    ['workdir', raw.workdir],
    ['agent', raw.agent],
    ['start', raw.start],
    ['cli', raw.cli],
    ['run', raw.run],
    ['commands.run', raw.commands?.run],
    ['commands.cli', raw.commands?.cli],
    ...(typeof raw.entrypoint === 'object'
      ? raw.entrypoint.map((word, index): [string, string] => [`entrypoint[${index}]`, word])
      : [['entrypoint', raw.entrypoint] as [string, string | undefined]]),
  ]
  for (const [path, value] of texts) {
    const message = value === undefined ? null : textProblem(value)
    if (message !== null) problems.push({ path, message })
  }
  for (const path of ['container', 'image'] as const) {
    const image = raw[path]
    if (image !== undefined && !IMAGE.test(image) && textProblem(image) === null)
      problems.push({ path, message: `expected an image reference, found ${show(image)}` })
  }
  if (raw.workdir !== undefined && !/^\/[^\n\t]*$/.test(raw.workdir)) {
    const found = show(raw.workdir)
    problems.push({ path: 'workdir', message: `expected an absolute path, found ${found}` })
  }
  const probe = raw.readiness?.path
  if (probe !== undefined && !/^\/[!-~]{0,2047}$/.test(probe)) {
    problems.push({
      path: 'readiness.path',
      message: `expected a path such as "/health", percent-encoded, found ${show(probe)}`,
    })
  }
}
