/** Images: looked up, and pulled with progress; one pull per reference at a time. */
import { PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, ImageInfo, ImagePolicy, ImageProgress } from '../adapter.ts'
import { bufferBytes, textLines } from './bytes.ts'
import type { Engine } from './dialect.ts'
import { classifyFailure } from './failure.ts'
import { parseImage } from './parse.ts'
import { createPullProgress } from './pull-progress.ts'
import { assertReference } from './reference.ts'
import { checkAborted, interrupted } from './signals.ts'

const MAX_LINE = 64 * 1024
/** Kept of the engine's messages, for the error. */
const MAX_SAID = 8192

/** A running pull that several callers can watch; it is given up when the last of them leaves. */
interface Pull {
  readonly watchers: Set<(progress: ImageProgress) => void>
  latest: ImageProgress
  readonly done: Promise<void>
  cancel(): void
}

export function createImages(engine: Engine) {
  const pulls = new Map<string, Pull>()

  async function find(reference: string, options: CallOptions): Promise<ImageInfo | null> {
    const args = ['image', 'inspect', '--', reference]
    const result = await engine.call(args, { signal: options.signal })
    if (result.exitCode === 0) return parseImage(result.stdout, engine.source(args))
    if (engine.codeOf(result.stderr) === 'IMAGE_NOT_FOUND') return null
    throw engine.fail(result, `find the image "${reference}"`)
  }

  function startPull(reference: string): Pull {
    const watchers = new Set<(progress: ImageProgress) => void>()
    const { run, cancel } = runPull(engine, reference, (progress) => {
      pull.latest = progress
      for (const watch of watchers) watch(progress)
    })
    const latest: ImageProgress = { message: `Pulling ${reference}`, fraction: null, done: false }
    const pull: Pull = { watchers, latest, done: run.finally(() => pulls.delete(reference)), cancel }
    pull.done.catch(() => {})
    pulls.set(reference, pull)
    return pull
  }

  /** Progress of a pull of ours or of somebody else's who asked before. */
  async function* follow(reference: string, signal: AbortSignal | undefined): AsyncGenerator<ImageProgress> {
    const pull = pulls.get(reference) ?? startPull(reference)
    const waiting: ImageProgress[] = [pull.latest]
    let wake = (): void => {}
    let ended = false
    const watch = (progress: ImageProgress): void => {
      waiting.push(progress)
      wake()
    }
    const finish = (): void => {
      ended = true
      wake()
    }
    pull.watchers.add(watch)
    pull.done.then(finish, finish)
    signal?.addEventListener('abort', finish, { once: true })
    try {
      while (!ended || waiting.length > 0) {
        checkAborted(signal)
        const next = waiting.shift()
        if (next !== undefined) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
      checkAborted(signal)
      await pull.done
    } finally {
      signal?.removeEventListener('abort', finish)
      pull.watchers.delete(watch)
      if (pull.watchers.size === 0) pull.cancel()
    }
  }

  return async function* ensureImage(
    reference: string,
    policy: ImagePolicy,
    options: CallOptions = {},
  ): AsyncGenerator<ImageProgress, ImageInfo> {
    checkAborted(options.signal)
    assertReference(reference)
    const present = policy === 'always' ? null : await find(reference, options)
    if (present !== null) {
      yield { message: `Image ${reference} is here`, fraction: 1, done: true }
      return present
    }
    if (policy === 'never') throw notHere(engine, reference, 'it is not here, and pulling is off')
    yield* follow(reference, options.signal)
    const pulled = await find(reference, options)
    if (pulled === null) throw notHere(engine, reference, 'it is not here after the pull')
    yield { message: `Image ${reference} is ready`, fraction: 1, done: true }
    return pulled
  }
}

function notHere(engine: Engine, reference: string, why: string): PloinkyError {
  return new PloinkyError('IMAGE_NOT_FOUND', `Image "${reference}" cannot be used: ${why}`, {
    hint: `Run: ${engine.dialect.program} pull ${reference}`,
    details: { image: reference },
  })
}

function runPull(engine: Engine, reference: string, report: (progress: ImageProgress) => void) {
  const child = engine.stream(['pull', '--', engine.dialect.pullReference(reference)], {})
  const progress = createPullProgress(reference)
  let said = ''
  let cancelled = false
  const cancel = (): void => {
    cancelled = true
    child.kill('SIGTERM')
  }
  const forget = engine.track(cancel)
  const read = async (source: AsyncIterable<Uint8Array>, keep: boolean): Promise<void> => {
    for await (const line of textLines(bufferBytes(source).bytes, MAX_LINE)) {
      if (keep) said = `${said}${line}\n`.slice(-MAX_SAID)
      const step = progress.read(line)
      if (step !== null) report(step)
    }
  }
  const run = Promise.all([read(child.stdout, false), read(child.stderr, true), child.exit]).then(([, , exitCode]) => {
    forget()
    if (cancelled) throw interrupted()
    if (exitCode !== 0) throw pullError(engine, reference, said)
  })
  return { run, cancel }
}

/** Whatever a registry says, the image cannot be had; only an engine that is away is something else. */
function pullError(engine: Engine, reference: string, stderr: string): PloinkyError {
  const { displayName, program } = engine.dialect
  const failure = classifyFailure({ displayName, program, stderr })
  if (failure.code === 'RUNTIME_UNAVAILABLE') return engine.fail({ exitCode: 1, stderr }, `pull "${reference}"`)
  return new PloinkyError('IMAGE_NOT_FOUND', `${displayName} could not pull "${reference}": ${failure.message}`, {
    hint: `Check the name and the network, then run: ${program} pull ${reference}`,
    details: { image: reference },
  })
}
