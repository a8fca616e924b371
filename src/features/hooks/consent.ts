/** Host hooks of a repository run as this user: a person allows them once, and again when their content changes. */
import { join } from 'node:path'
import { consentsDocument } from '../../config/documents.ts'
import type { Hook, HookName, Manifest } from '../../config/manifest/index.ts'
import { PloinkyError } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import type { Definition } from '../repos/index.ts'

const ON_HOST: readonly HookName[] = ['preinstall', 'hosthook_aftercreation', 'hosthook_postinstall']
/** A script that a hook names is part of what is allowed. */
const MAX_SCRIPT_BYTES = 1024 * 1024

export interface HostHook extends Hook {
  readonly name: HookName
}

export function hostHooksOf({ hooks }: Pick<Manifest, 'hooks'>): HostHook[] {
  return ON_HOST.flatMap((name) => {
    const hook = hooks[name]
    return hook === undefined ? [] : [{ name, ...hook }]
  })
}

export interface ConsentRequest {
  readonly definition: Definition
  readonly manifest: Manifest
}

/** What a person is shown before anything of an agent runs on this machine. */
export interface ConsentReview {
  readonly lines: readonly { readonly name: string; readonly line: string }[]
  /** Of the lines and the files they name: only what was shown can be allowed. Null: nothing is left to allow. */
  readonly digest: string | null
}

export interface Consents {
  review(request: ConsentRequest): Promise<ConsentReview>
  /** CONFLICT when what would run is not what was shown any more. False: it was allowed already. */
  allow(request: ConsentRequest, digest: string): Promise<boolean>
  /** Asks once for all that is not allowed yet. DENIED when the answer is no; CONFIRMATION_REQUIRED where nobody can answer. */
  obtain(requests: readonly ConsentRequest[], confirm: (question: string) => Promise<boolean>): Promise<void>
  /** CONFIRMATION_REQUIRED unless what would run now is what was allowed. */
  assert(request: ConsentRequest): Promise<void>
}

export interface ConsentDeps {
  store: Store
  fs: FileSystem
  hash: Hashing
}

export function createConsents({ store, fs, hash }: ConsentDeps): Consents {
  /** Lines, and the content of each file of the agent that a line names. */
  async function contentHash({ definition, manifest }: ConsentRequest): Promise<string> {
    const parts: string[] = []
    for (const { name, line } of hostHooksOf(manifest)) {
      parts.push(`${name}\0${line}`)
      for (const word of new Set(line.split(/[\s;&|()<>"'`]+/))) {
        const text = word === '' ? null : await scriptText(definition, word)
        if (text !== null) parts.push(`${word}\0${text}`)
      }
    }
    return hash.sha256Hex(parts.join('\0\0'))
  }

  async function scriptText(definition: Definition, word: string): Promise<string | null> {
    const path = await fs.realPath(join(definition.dir, word)).catch(() => null)
    if (path === null || !path.startsWith(`${definition.dir}/`) || (await fs.stat(path))?.kind !== 'file') return null
    return await fs.readText(path, { maxBytes: MAX_SCRIPT_BYTES })
  }

  /** The hash that is to be allowed; null when nothing has to be. The package's own hooks are part of the package. */
  async function pending(request: ConsentRequest): Promise<string | null> {
    const { definition, manifest } = request
    if (definition.builtIn || hostHooksOf(manifest).length === 0) return null
    const [{ consents }, wanted] = await Promise.all([store.read(consentsDocument), contentHash(request)])
    return own(consents, definition.ref)?.hash === wanted ? null : wanted
  }

  async function keep(allowed: readonly { readonly ref: string; readonly hash: string }[]): Promise<void> {
    const at = new Date().toISOString()
    const entries = allowed.map(({ ref, hash: value }) => [ref, { hash: value, at }])
    await store.update(consentsDocument, ({ consents }) => ({
      consents: { ...consents, ...(Object.fromEntries(entries) as typeof consents) },
    }))
  }

  return {
    async review(request) {
      const lines = hostHooksOf(request.manifest).map(({ name, line }) => ({ name, line }))
      return { lines, digest: await pending(request) }
    },
    async allow(request, digest) {
      const { ref } = request.definition
      const wanted = await pending(request)
      if (wanted === null) return false
      if (wanted !== digest) {
        throw new PloinkyError('CONFLICT', `Commands of "${ref}" on this machine are not those that were shown`, {
          hint: `See them again: ploinky permissions ${ref}`,
        })
      }
      await keep([{ ref, hash: wanted }])
      return true
    },
    async obtain(requests, confirm) {
      const open: { request: ConsentRequest; hash: string }[] = []
      for (const request of requests) {
        const wanted = await pending(request)
        const isAsked = open.some(({ request: { definition } }) => definition.ref === request.definition.ref)
        if (wanted !== null && !isAsked) open.push({ request, hash: wanted })
      }
      if (open.length === 0) return
      const lines = open.flatMap(({ request: { definition, manifest } }) =>
        hostHooksOf(manifest).map(
          ({ name, line }) => `  ${definition.ref} ${name}: ${JSON.stringify(line).slice(1, -1)}`,
        ),
      )
      const question = `These commands run on this machine, as you, outside of any container:\n${lines.join('\n')}\nAllow them?`
      if (!(await confirm(question))) {
        throw new PloinkyError('DENIED', 'Commands on this machine were not allowed, so nothing was started', {
          hint: `See what they are: ploinky plan ${open[0]?.request.definition.ref ?? ''}`,
        })
      }
      await keep(open.map(({ request, hash: value }) => ({ ref: request.definition.ref, hash: value })))
    },
    async assert(request) {
      if ((await pending(request)) === null) return
      const { ref } = request.definition
      throw new PloinkyError('CONFIRMATION_REQUIRED', `Commands of "${ref}" on this machine are not allowed yet`, {
        hint: `See them: ploinky plan ${ref}; then allow them by running: ploinky start ${ref}`,
      })
    },
  }
}
