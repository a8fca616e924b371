import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPloinkyError } from '../../src/core/error.ts'
import { createStaticFiles } from '../../src/http/static.ts'
import { createFileSystem } from '../../src/platform/files.ts'

const LONG_TEXT = 'The quick brown fox. '.repeat(500)
const OLD = new Date('2024-05-01T10:00:00.250Z')
let base: string
let root: string

async function put(path: string, data: string | Uint8Array, time = OLD): Promise<void> {
  await mkdir(join(base, path, '..'), { recursive: true })
  await writeFile(join(base, path), data)
  await utimes(join(base, path), time, time)
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ploinky-test-static-'))
  root = join(base, 'www')
  await put('secret.txt', 'outside')
  await put('www-evil/x.txt', 'a folder whose name starts like the root')
  await put('www/index.html', '<h1>home</h1>')
  await put('www/app.js', LONG_TEXT)
  await put('www/ten.bin', '0123456789')
  await put('www/empty.txt', '')
  await put('www/big.bin', new Uint8Array(1_000_000).fill(7))
  await put('www/ünï cödé.txt', 'names')
  await put('www/.env', 'TOKEN=1')
  await put('www/.git/config', 'x')
  await put('www/manifest.json', '{}')
  await put('www/assets/manifest.json', '{}')
  await put('www/code/mcp-config.json', '{}')
  await put('www/docs/index.html', 'docs')
  await put('www/empty-folder/note.txt', 'n')
  await put('www/packed.css', LONG_TEXT)
  await put('www/packed.css.br', brotliCompressSync(LONG_TEXT))
  await put('www/stale.css', LONG_TEXT)
  await put('www/stale.css.br', 'old', new Date('2020-01-01'))
  await put('www/fresh.txt', 'x', new Date())
  await symlink(join(base, 'secret.txt'), join(root, 'link-out.txt'))
  await symlink(base, join(root, 'link-up'))
  await symlink(join(base, 'www-evil'), join(root, 'link-evil'))
  await symlink('.env', join(root, 'link-hidden.txt'))
  await symlink('manifest.json', join(root, 'link-reserved.txt'))
  await symlink('ten.bin', join(root, 'link-in.bin'))
  await symlink('loop', join(root, 'loop'))
})
afterAll(() => rm(base, { recursive: true, force: true }))

type Init = { method?: string; headers?: Record<string, string>; url?: string }

function files(options: { precompressed?: boolean } = {}) {
  const serve = createStaticFiles({
    fs: createFileSystem(),
    root,
    reserved: ['/manifest.json', 'mcp-config.json'],
    headers: { 'x-extra': 'yes' },
    ...options,
  })
  return (path: string, init: Init = {}) =>
    serve(
      new Request(init.url ?? `http://localhost/files/${path}`, {
        method: init.method ?? 'GET',
        headers: init.headers ?? {},
      }),
      path,
    )
}

async function get(path: string, init: Init = {}, options: { precompressed?: boolean } = {}): Promise<Response> {
  const response = await files(options)(path, init)
  if (response === null) throw new Error(`nothing served for "${path}"`)
  return response
}

describe('a file', () => {
  it('is sent with its type, length, tag and time', async () => {
    const response = await get('app.js')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(LONG_TEXT)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-length': String(LONG_TEXT.length),
      'last-modified': 'Wed, 01 May 2024 10:00:00 GMT',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      'accept-ranges': 'bytes',
      vary: 'Accept-Encoding',
      'x-extra': 'yes',
    })
    expect(response.headers.get('etag')).toMatch(/^"[^"]+"$/)
  })
  it('of an unknown kind is plain bytes', async () => {
    expect((await get('ten.bin')).headers.get('content-type')).toBe('application/octet-stream')
  })
  it('may be empty, large, behind an inner link, or have any name', async () => {
    expect(await (await get('empty.txt')).text()).toBe('')
    expect((await (await get('big.bin')).arrayBuffer()).byteLength).toBe(1_000_000)
    expect(await (await get('link-in.bin')).text()).toBe('0123456789')
    expect(await (await get(encodeURIComponent('ünï cödé.txt'))).text()).toBe('names')
  })
  it('answers HEAD with the same head and no body', async () => {
    const response = await get('ten.bin', { method: 'HEAD' })
    expect(response.headers.get('content-length')).toBe('10')
    expect(await response.text()).toBe('')
  })
  it('refuses other methods', async () => {
    await expect(get('ten.bin', { method: 'DELETE' })).rejects.toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
  })
  it('has a weak tag while it may still change within the same clock tick', async () => {
    await put('www/fresh.txt', 'x', new Date())
    expect((await get('fresh.txt')).headers.get('etag')).toMatch(/^W\//)
  })
})

describe('a folder', () => {
  it('shows its index', async () => {
    expect(await (await get('docs/')).text()).toBe('docs')
    expect(await (await get('')).text()).toBe('<h1>home</h1>')
  })
  it('redirects to its trailing slash, relative to any prefix', async () => {
    const response = await get('docs', { url: 'http://localhost/base/docs?x=1' })
    expect([response.status, response.headers.get('location')]).toEqual([302, './docs/?x=1'])
    const mount = await get('', { url: 'http://localhost/base/dashboard' })
    expect(mount.headers.get('location')).toBe('./dashboard/')
  })
  it('is never listed, and a file is no folder', async () => {
    expect(await files()('empty-folder/')).toBeNull()
    expect(await files()('ten.bin/')).toBeNull()
    expect(await files()('ten.bin/x')).toBeNull()
  })
})

describe('what must stay inside', () => {
  const hidden = [
    '.env', '.git/config', 'manifest.json', 'MANIFEST.json', '%6danifest.json', 'code/mcp-config.json', 'link-out.txt', 'link-up/secret.txt', 'link-evil/x.txt', 'link-hidden.txt', 'link-reserved.txt', 'loop', 'no-such', 'docs//index.html', 'ten.bin:stream',
    'ten.bin.', 'ten.bin%20', 'a'.repeat(300), `${'a/'.repeat(4000)}b`, '%2eenv', '//etc/passwd',
  ] // prettier-ignore
  it.each(hidden)('%s is not there', async (path) => {
    expect(await files()(path)).toBeNull()
  })
  it('serves a reserved path of the root elsewhere', async () => {
    expect((await get('assets/manifest.json')).status).toBe(200)
  })
  const refused = [
    '../secret.txt', 'docs/../../secret.txt', '%2e%2e/secret.txt', '..%2fsecret.txt', '%2e%2e%2fsecret.txt', '..%5csecret.txt', '..\\secret.txt',
    'ten.bin%00.html', 'ten.bin\0', '%c0%ae%c0%ae/secret.txt', '%zz', '%', 'docs%2findex.html', './ten.bin', '%2e/ten.bin', 'ten%0d%0a.bin', '%7f',
  ] // prettier-ignore
  it.each(refused)('%j is refused', async (path) => {
    const error: unknown = await files()(path).catch((thrown: unknown) => thrown)
    expect(isPloinkyError(error) && error.code).toBe('REQUEST_INVALID')
  })
  it('decodes once only', async () => {
    await put('www/50%2f.txt', 'percent')
    expect(await (await get('50%252f.txt')).text()).toBe('percent')
    expect(await files()('%252e%252e/secret.txt')).toBeNull()
  })
})

describe('conditions', () => {
  it('answers 304 to a known tag, weakly compared, also in a list and for *', async () => {
    const etag = (await get('ten.bin')).headers.get('etag') ?? ''
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await get('ten.bin', { headers: { 'if-none-match': tag } })
      expect([tag, response.status, await response.text()]).toEqual([tag, 304, ''])
      expect(response.headers.get('etag')).toBe(etag)
      expect(response.headers.get('content-length')).toBeNull()
    }
    expect((await get('ten.bin', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })
  it('compares times by the second, and only when no tag was sent', async () => {
    const at = (date: string, more: Record<string, string> = {}) =>
      get('ten.bin', { headers: { 'if-modified-since': date, ...more } }).then((response) => response.status)
    expect(await at('Wed, 01 May 2024 10:00:00 GMT')).toBe(304)
    expect(await at('Wed, 01 May 2024 09:59:59 GMT')).toBe(200)
    expect(await at('not a date')).toBe(200)
    expect(await at('Wed, 01 May 2024 10:00:00 GMT', { 'if-none-match': '"other"' })).toBe(200)
  })
})

describe('ranges', () => {
  const part = async (range: string, more: Record<string, string> = {}): Promise<unknown[]> => {
    const response = await get('ten.bin', { headers: { range, ...more } })
    return [response.status, await response.text(), response.headers.get('content-range')]
  }
  it('gives single and suffix ranges', async () => {
    expect(await part('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10'])
    expect(await part('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=-99')).toEqual([206, '0123456789', 'bytes 0-9/10'])
    expect(await part('bytes=0-99999999999999999999')).toEqual([206, '0123456789', 'bytes 0-9/10'])
  })
  it('sends the whole file for several ranges and for mistakes', async () => {
    for (const range of ['bytes=0-1,3-4', 'bytes=5-2', 'bytes=-', 'bytes=a-b', 'items=0-1', 'bytes=1 - 2']) {
      expect([range, ...(await part(range))]).toEqual([range, 200, '0123456789', null])
    }
  })
  it('answers 416 with the size, in the error shape', async () => {
    for (const range of ['bytes=10-', 'bytes=-0', 'bytes=99999999999999999999-']) {
      const [status, body, contentRange] = await part(range)
      expect([range, status, contentRange]).toEqual([range, 416, 'bytes */10'])
      expect(JSON.parse(String(body)).error.code).toBe('RANGE_INVALID')
    }
  })
  it('honours If-Range by strong tag or exact time only', async () => {
    const etag = (await get('ten.bin')).headers.get('etag') ?? ''
    const range = 'bytes=0-0'
    expect((await part(range, { 'if-range': etag }))[0]).toBe(206)
    expect((await part(range, { 'if-range': 'Wed, 01 May 2024 10:00:00 GMT' }))[0]).toBe(206)
    for (const other of ['"other"', `W/${etag}`, 'Wed, 01 May 2024 10:00:01 GMT', 'junk']) {
      expect([other, (await part(range, { 'if-range': other }))[0]]).toEqual([other, 200])
    }
  })
  it('ignores Range on HEAD and for a compressed answer sends plain bytes', async () => {
    expect((await get('ten.bin', { method: 'HEAD', headers: { range: 'bytes=0-1' } })).status).toBe(200)
    const response = await get('app.js', { headers: { range: 'bytes=4-8', 'accept-encoding': 'gzip, br' } })
    expect([response.status, await response.text(), response.headers.get('content-encoding')]).toEqual([
      206,
      'quick',
      null,
    ])
  })
})

describe('compression', () => {
  const encodingOf = async (path: string, accept: string, precompressed = false): Promise<string | null> =>
    (await get(path, { headers: { 'accept-encoding': accept } }, { precompressed })).headers.get('content-encoding')

  it('packs text on the way, and the bytes come back', async () => {
    const response = await get('app.js', { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-length')).toBeNull()
    expect(gunzipSync(new Uint8Array(await response.arrayBuffer())).toString()).toBe(LONG_TEXT)
    const etag = response.headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\//)
    const again = await get('app.js', { headers: { 'accept-encoding': 'gzip', 'if-none-match': etag } })
    expect([again.status, again.headers.get('vary')]).toEqual([304, 'Accept-Encoding'])
  })
  it('leaves small, binary and unwanted alone', async () => {
    expect(await encodingOf('index.html', 'gzip')).toBeNull()
    expect(await encodingOf('big.bin', 'gzip')).toBeNull()
    expect(await encodingOf('app.js', 'gzip;q=0')).toBeNull()
    expect(await encodingOf('app.js', 'deflate, zstd')).toBeNull()
    expect(await encodingOf('app.js', '*')).toBe('gzip')
    expect(await encodingOf('app.js', 'identity, gzip;q=0.5')).toBeNull()
    expect(await encodingOf('app.js', 'gzip;q=nonsense')).toBeNull()
  })
  it('uses ready-made siblings by q-value, unless they are older than the file', async () => {
    expect(await encodingOf('packed.css', 'gzip, br', true)).toBe('br')
    expect(await encodingOf('packed.css', 'gzip, br;q=0.1', true)).toBe('br')
    expect(await encodingOf('packed.css', 'gzip', true)).toBe('gzip')
    expect(await encodingOf('packed.css', 'br', false)).toBeNull()
    expect(await encodingOf('stale.css', 'br, gzip', true)).toBe('gzip')
    const response = await get('packed.css', { headers: { 'accept-encoding': 'br' } }, { precompressed: true })
    expect(response.headers.get('content-type')).toBe('text/css; charset=utf-8')
    const plain = (await get('packed.css')).headers.get('etag')
    expect(response.headers.get('etag')).not.toBe(plain)
  })
})
