/** Files into and out of an agent: from the command line and over HTTP. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

describe('files of agents', () => {
  let workspace: Workspace
  const content = (path: string, more = ''): string =>
    `/api/v1/agents/demo/files/content?path=${encodeURIComponent(path)}${more}`
  const codeOf = async (answer: Response): Promise<unknown[]> => [
    answer.status,
    ((await answer.json()) as { error?: { code?: string } }).error?.code,
  ]

  beforeAll(async () => {
    workspace = await createWorkspace()
    const started = await workspace.run(['start', 'demo'])
    expect(started.code, started.stderr).toBe(0)
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('cp copies in both directions, byte for byte, and replaces only when told', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256))
    await writeFile(join(workspace.dir, 'odd -näme.bin'), bytes)
    const up = await workspace.json<{ to: string; size: number }>(['cp', 'odd -näme.bin', 'demo:.'])
    expect(up.size).toBe(300_000)
    expect(up.to).toMatch(/^demo:\/.*\/odd -näme\.bin$/)
    const listing = await workspace.json<{ entries: { name: string; size: number }[] }>(['files', 'demo'])
    expect(listing.entries.find(({ name }) => name === 'odd -näme.bin')?.size).toBe(300_000)
    expect((await workspace.run(['files', 'demo'])).stdout).toContain('odd -näme.bin')
    const down = await workspace.run(['cp', 'demo:odd -näme.bin', 'back.bin'])
    expect(down.code, down.stderr).toBe(0)
    expect(await readFile(join(workspace.dir, 'back.bin'))).toEqual(bytes)

    const again = await workspace.run(['cp', 'odd -näme.bin', 'demo:.'])
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('--overwrite')])
    expect((await workspace.run(['cp', 'demo:odd -näme.bin', 'back.bin'])).code).toBe(6)
    expect((await workspace.run(['cp', '--overwrite', 'demo:odd -näme.bin', 'back.bin'])).code).toBe(0)
    expect((await readdir(workspace.dir)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('each mistake of a command has its code', async () => {
    const codes = async (...args: string[]) => (await workspace.run(args)).code
    expect(await codes('cp', 'a', 'b')).toBe(2)
    expect(await codes('cp', 'demo:a', 'demo:b')).toBe(2)
    expect(await codes('cp', 'not-here', 'demo:.')).toBe(4)
    expect(await codes('cp', '.', 'demo:.')).toBe(2)
    expect(await codes('cp', 'demo:not-there', '.')).toBe(4)
    expect(await codes('files', 'demo', '/proc')).toBe(8)
    expect(await codes('files', 'nobody')).toBe(4)
  })

  it('over HTTP: upload, listing, download', async () => {
    const put = (path: string, body: BodyInit, more = ''): Promise<Response> =>
      workspace.fetch(content(path, more), { method: 'PUT', body, duplex: 'half' } as RequestInit)
    const made = await put('from-http.html', '<script>alert(1)</script>')
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ size: 25, replaced: false })
    expect(await codeOf(await put('from-http.html', 'x'))).toEqual([409, 'CONFLICT'])
    // Of a length that nobody knows before its end.
    const stream = new ReadableStream({
      start(controller) {
        for (const part of ['one ', 'two ', 'three']) controller.enqueue(new TextEncoder().encode(part))
        controller.close()
      },
    })
    expect((await put('from-http.html', stream, '&overwrite=true')).status).toBe(200)
    const got = await workspace.fetch(content('from-http.html'))
    expect(await got.text()).toBe('one two three')
    expect(got.headers.get('content-length')).toBe('13')
    expect(got.headers.get('content-disposition')).toContain('attachment; filename="from-http.html"')
    expect(got.headers.get('x-content-type-options')).toBe('nosniff')
    expect(got.headers.get('content-type')).toBe('application/octet-stream')
    expect(got.headers.get('content-security-policy')).toContain('sandbox')
    const head = await workspace.fetch(content('from-http.html'), { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '13'])
    expect((await put('empty', '')).status).toBe(201)
    expect(await (await workspace.fetch(content('empty'))).text()).toBe('')
    const listing = await workspace.fetch('/api/v1/agents/demo/files?path=.')
    expect(await listing.json()).toMatchObject({ truncated: false })
  })

  it('over HTTP: nothing for strangers, other sites, and wrong addresses', async () => {
    expect(await codeOf(await fetch(workspace.url + content('from-http.html')))).toEqual([401, 'UNAUTHENTICATED'])
    expect(await codeOf(await workspace.fetch('/api/v1/agents/demo/files/content'))).toEqual([400, 'REQUEST_INVALID'])
    expect(await codeOf(await workspace.fetch(content('nope')))).toEqual([404, 'FILE_NOT_FOUND'])
    expect(await codeOf(await workspace.fetch(content('/dev/zero')))).toEqual([403, 'DENIED'])
    expect(await codeOf(await workspace.fetch(content('a\0b')))).toEqual([400, 'REQUEST_INVALID'])
    const foreign = await workspace.fetch(content('x'), {
      method: 'PUT',
      body: 'x',
      headers: { origin: 'http://evil.example' },
    })
    expect(await codeOf(foreign)).toEqual([403, 'DENIED'])
    if (!isContainerEngine) expect(await codeOf(await workspace.fetch(content('/etc/passwd')))).toEqual([403, 'DENIED'])
  })

  it('who took and gave what is in the events', async () => {
    const events = await readFile(join(workspace.dir, '.ploinky/logs/events.ndjson'), 'utf8')
    expect(events).toMatch(/"type":"file.uploaded","subject":"demo","principal":"operator"/)
    expect(events).toMatch(/"type":"file.downloaded","subject":"demo","principal":"operator"/)
    expect(events).not.toContain('one two three')
  })
})
