import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { workspacePaths } from '../../../src/config/paths.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { createTaskList } from '../../../src/features/mcp/task-list.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const idOf = (digit: string): string => digit.repeat(32)
const record = (digit: string, more: object = {}): object => ({
  ...{ version: 1, id: idOf(digit), toolName: 'slow', state: 'running', logTail: '', logSeq: 0, logTruncated: false },
  ...{ createdAt: `2026-11-26T10:0${digit}:00.000Z`, updatedAt: `2026-11-26T10:0${digit}:30.000Z`, ...more },
})

async function put(folder: string, name: string, content: unknown): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
}

function make() {
  const paths = workspacePaths(root)
  const agents = ['a', 'b'].map((name) => ({ name }))
  const registry = {
    list: () => Promise.resolve(agents),
    get: (name: string) => {
      const found = agents.find((agent) => agent.name === name)
      return found === undefined ? Promise.reject(new PloinkyError('AGENT_NOT_FOUND', name)) : Promise.resolve(found)
    },
  }
  return { paths, tasks: createTaskList({ fs: createFileSystem(), paths, registry: registry as never }) }
}

it('lists what the router and the agents keep, newest first, and never a result', async () => {
  const { paths, tasks } = make()
  await put(join(paths.tasks, 'a'), `${idOf('1')}.json`, record('1', { state: 'completed', result: { secret: 'x' } }))
  const asks = { inputRequests: { q: {} }, owner: 'user:ann', statusMessage: '1 of 2' }
  await put(join(paths.tasks, 'a/router'), `${idOf('2')}.json`, record('2', asks))
  const failed = { state: 'failed', error: 'broke', result: { isError: true } }
  await put(join(paths.agentWork('b'), '.tasksQueue'), `${idOf('3')}.json`, record('3', failed))
  const all = await tasks.list(null)
  expect(all.map(({ agent, state, owner, message }) => [agent, state, owner, message])).toEqual([
    ['b', 'failed', null, 'broke'],
    ['a', 'input_required', 'user:ann', '1 of 2'],
    ['a', 'completed', null, null],
  ])
  expect(JSON.stringify(all)).not.toMatch(/secret|isError/)
  expect(await tasks.list('b')).toHaveLength(1)
  await expect(tasks.list('c')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
})

it('what an agent puts into its folder and is no record is left out', async () => {
  const { paths, tasks } = make()
  const folder = join(paths.agentWork('a'), '.tasksQueue')
  await put(folder, `${idOf('1')}.json`, 'no json')
  await put(folder, `${idOf('2')}.json`, record('3'))
  await put(folder, '../x.json', record('4'))
  await mkdir(join(folder, `${idOf('5')}.json`))
  await put(root, 'outside', 'outside')
  await symlink(join(root, 'outside'), join(folder, `${idOf('6')}.json`))
  expect(await tasks.list(null)).toEqual([])
})
