/** The contract's programs as functions, for the runtime that runs no real ones. */
import { delay } from '../../src/core/time.ts'
import type { FakeProcess, FakeProgram, FakePrograms } from '../../runtimes/fake/index.ts'
import type { ProgramName } from './runtime-programs.ts'

const HOUR_MS = 3_600_000
const argsOf = (process: FakeProcess): readonly string[] => process.argv.slice(4)

async function idle(process: FakeProcess): Promise<number> {
  process.on('SIGTERM', () => process.exit(0))
  await process.out('up\n')
  await delay(HOUR_MS, process.ended)
  return 0
}

async function readLine(process: FakeProcess): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of { [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() }) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}

const size = ({ terminal }: FakeProcess): string => (terminal ? `${terminal.rows} ${terminal.cols}\n` : '')

const functions: Record<ProgramName, FakeProgram> = {
  idle,
  stubborn: async (process) => {
    process.on('SIGTERM', () => {})
    await process.out('up\n')
    await delay(HOUR_MS, process.ended)
    return 0
  },
  careless: async (process) => {
    await process.out('up\n')
    await delay(HOUR_MS, process.ended)
    return 0
  },
  exits: (process) => Number(argsOf(process)[0]),
  speaks: async (process) => {
    const [out = '', err = '', code] = argsOf(process)
    await process.out(out)
    await process.err(err)
    return Number(code)
  },
  copies: async (process) => {
    for await (const chunk of process.stdin) await process.out(chunk)
    return 0
  },
  shows: async (process) => {
    for (const name of argsOf(process)) await process.out(`${process.env[name] ?? ''}\0`)
    return 0
  },
  folder: async (process) => {
    await process.out(`${process.cwd}\n`)
    return 0
  },
  floods: async (process) => {
    const padding = 'x'.repeat(990)
    for (let i = 0; i < Number(argsOf(process)[0]) * 1000; i++) {
      await process.out(`${String(i).padStart(9, '0')}${padding}\n`)
    }
    return 0
  },
  tree: async (process) => {
    process.on('SIGTERM', () => {})
    process.on('SIGHUP', () => {})
    const mark = `sleep ${argsOf(process)[0]}`
    process.files.set(mark, '2')
    process.ended.addEventListener('abort', () => process.files.delete(mark))
    await process.out('up\n')
    await delay(HOUR_MS, process.ended)
    return 0
  },
  counts: async (process) => {
    await process.out(`${process.files.get(`sleep ${argsOf(process)[0]}`) ?? '0'}\n`)
    return 0
  },
  writes: async (process) => {
    await process.out('out one\n')
    await process.err('err one\n')
    await process.out('\nout žluťoučký 🦀 "quoted"\n')
    await process.err('err two\n')
    await process.out('unended')
    return 0
  },
  steps: async (process) => {
    process.on('SIGTERM', () => process.exit(0))
    await process.out('one\n')
    while (!process.files.has(argsOf(process)[0] ?? '')) await delay(20, process.ended)
    await process.out('two\n')
    await delay(HOUR_MS, process.ended)
    return 0
  },
  touches: (process) => {
    process.files.set(argsOf(process)[0] ?? '', '')
    return 0
  },
  longLine: async (process) => {
    for (let i = 0; i < Number(argsOf(process)[0]); i++) await process.out(String(i).padStart(1000, '0'))
    await process.out('\n')
    return 0
  },
  manyLines: async (process) => {
    for (let i = 1; i <= Number(argsOf(process)[0]); i++) await process.out(`line ${i}\n`)
    return 0
  },
  size: async (process) => {
    await process.out(size(process))
    return 0
  },
  resized: async (process) => {
    await process.out(size(process))
    await readLine(process)
    await process.out(size(process))
    return 3
  },
  interruptible: async (process) => {
    await process.out('ready\n')
    await process.out(`${await readLine(process)}\n`)
    await delay(HOUR_MS, process.ended)
    return 0
  },
  asks: async (process) => {
    await process.out('name? ')
    await process.out(`got:<${await readLine(process)}>\n`)
    return 4
  },
  rawKey: async (process) => {
    if (process.terminal) process.terminal.raw = true
    await process.out('ready')
    for await (const chunk of process.stdin) {
      await process.out(` ${(chunk[0] ?? 0).toString(16)}\n`)
      break
    }
    return 0
  },
  terminalFacts: async (process) => {
    await process.out(`${process.env['TERM']}|${process.env['ODD']}|${process.cwd}\n`)
    return 0
  },
  shouts: async (process) => {
    for await (const chunk of process.stdin) await process.out(new TextDecoder().decode(chunk).toUpperCase())
    return 5
  },
  webServer: async (process) => {
    process.serve(7000, (request, response) => response.end(`served ${request.url}`))
    return idle(process)
  },
  webServerAt: async (process) => {
    process.serve(Number(argsOf(process)[0]), (request, response) => response.end(`served ${request.url}`))
    return idle(process)
  },
  fetches: async (process) => {
    const answer = await fetch(argsOf(process)[0] ?? '').catch(
      (error: unknown) => new Response(`failed: ${String(error)}`),
    )
    await process.out(await answer.text())
    return 0
  },
  udpServer: idle,
}

/** `sh -c <text> t-<name> ...` and `node -e <text> t-<name> ...` by their name. */
const dispatch: FakeProgram = (process) => {
  const name = process.argv[3]?.replace(/^t-/, '') ?? ''
  if (!Object.hasOwn(functions, name)) throw new Error(`no function stands for ${process.argv.join(' ')}`)
  return functions[name as ProgramName](process)
}

export const contractPrograms: FakePrograms = { sh: dispatch, node: dispatch }
