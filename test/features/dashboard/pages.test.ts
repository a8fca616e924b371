import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asPloinkyError, httpStatusOf } from '../../../src/core/error.ts'
import { createPages } from '../../../src/features/dashboard/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { buildPublic } from '../../../src/tools/build-public.mjs'

let dir: string
let app: Hono
const fs = createFileSystem()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-pages-'))
  await buildPublic(dir)
  app = appOf(dir)
})
afterAll(() => rm(dir, { recursive: true, force: true }))

function appOf(folder: string): Hono {
  const pages = createPages({ fs, dir: folder })
  const made = new Hono().route('/', pages.routes)
  made.notFound(async (c) => (await pages.notFound(c.req.raw)) ?? c.json({}, 404))
  made.onError((error, c) => c.text(asPloinkyError(error).code, httpStatusOf(asPloinkyError(error)) as 500))
  return made
}

describe('pages', () => {
  it('are served with a policy that allows nothing inline and nothing foreign', async () => {
    const response = await app.request('/dashboard/')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(await response.text()).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/i)
  })
  it('redirect to the folder, so that relative addresses hold', async () => {
    expect((await app.request('/dashboard')).headers.get('location')).toBe('./dashboard/')
  })
  it('come packed, with a tag that saves the second transfer', async () => {
    const headers = { 'accept-encoding': 'gzip, deflate, br' }
    const first = await app.request('/dashboard/main.js', { headers })
    expect(first.headers.get('content-encoding')).toBe('br')
    const etag = first.headers.get('etag') ?? ''
    expect((await app.request('/dashboard/main.js', { headers: { ...headers, 'if-none-match': etag } })).status).toBe(
      304,
    )
  })
  it('do not show other folders or missing files', async () => {
    expect((await app.request('/dashboard/no-such.js')).status).toBe(404)
    expect((await app.request('/dashboard/..%2fsignin/index.html')).status).toBe(400)
  })
  it('answer a person with a page and a program with the error shape', async () => {
    const person = await app.request('/nowhere', { headers: { accept: 'text/html,*/*;q=0.8' } })
    expect([person.status, person.headers.get('cache-control')]).toEqual([404, 'no-store'])
    expect(await person.text()).toContain('nothing at this address')
    const program = await app.request('/nowhere', { headers: { accept: 'application/json' } })
    expect([program.status, await program.json()]).toEqual([404, {}])
  })
  it('say what to do when they were not built', async () => {
    const response = await appOf(join(dir, 'none')).request('/dashboard/')
    expect([response.status, await response.text()]).toEqual([404, 'ROUTE_NOT_FOUND'])
  })
  it('are public only where they hold no data', () => {
    const { isPublic } = createPages({ fs, dir })
    expect(['/signin', '/signin/main.js', '/not-found/'].map(isPublic)).toEqual([true, true, true])
    expect(['/', '/dashboard/', '/signinx', '/api/v1/status'].map(isPublic)).toEqual([false, false, false, false])
  })
})
