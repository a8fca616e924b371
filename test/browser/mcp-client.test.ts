/** `/MCPBrowserClient.js` in a real Chromium, with the real router and a real agent, by the cookie of the page. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, runtimeName } from '../helpers/workspace.ts'
import { launch, openPage, skipReason, type Watched } from './browser.ts'

const BIN = join(dirname(fileURLToPath(import.meta.url)), '../../dist/ploinky.cjs')
const run = promisify(execFile)

describe.skipIf(skipReason !== null)('the MCP client for pages', () => {
  let browser: Browser
  let workspace: string
  let origin: string
  let watched: Watched
  let page: Page

  const ploinky = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [BIN, '--workspace', workspace, ...args], { timeout: 90_000 })).stdout

  /** Runs in the page; as text, since the runner would rewrite the import of the module. */
  const inPage = async (code: string, url = '/mcps/demo'): Promise<unknown> =>
    await page.evaluate(`(async () => {
      const { createAgentClient } = await import('/MCPBrowserClient.js')
      const client = createAgentClient(${JSON.stringify(url)})
      const told = (error) => ({ name: error.name, code: error.code, message: error.message })
      try { ${code} } finally { await client.close() }
    })()`)

  beforeAll(async () => {
    if (!existsSync(BIN)) throw new Error('dist/ploinky.cjs is missing; run: npm run build')
    workspace = await mkdtemp(join(tmpdir(), 'ploinky-test-mcp-page-'))
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    await ploinky('start', 'demo', String(port), '--runtime', runtimeName)
    browser = await launch()
    watched = await openPage(browser, origin)
    page = watched.page
    await page.goto((await ploinky('open')).trim())
    await page.waitForURL(`${origin}/dashboard/`)
  })
  afterAll(async () => {
    await watched?.close()
    await browser?.close()
    await ploinky('destroy', '--yes')
    await rm(workspace, { recursive: true, force: true })
  })

  it('is public, kept for a while, and needs nothing else', async () => {
    const answer = await fetch(`${origin}/MCPBrowserClient.js`)
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      ...[200, 'text/javascript; charset=utf-8', 'public, max-age=300'],
    ])
    expect(await answer.text()).toContain('createAgentClient')
  })

  it.each(['/mcps/demo', '/mcps/demo/mcp'])('%s: lists and calls what the agent offers', async (url) => {
    const found = await inPage(
      `const about = await client.connect()
       const tools = await client.listTools()
       const steps = []
       const slow = await client.callTool('slow', { seconds: 0.5 }, { onProgress: (step) => steps.push(step.progress) })
       return {
         version: about.protocolVersion, tools: tools.map(({ name }) => name), steps: steps.length,
         slow: slow.content[0].text,
         echo: (await client.callTool('echo', { text: 'ă "x"' })).content[0].text,
         failed: (await client.callTool('fail')).isError,
         resources: (await client.listResources()).map(({ uri }) => uri),
         about: JSON.parse((await client.readResource('demo://about')).contents[0].text).agent,
         prompts: (await client.listPrompts()).map(({ name }) => name),
         prompt: (await client.getPrompt('introduce', { audience: 'children' })).messages.length,
       }`,
      url,
    )
    expect(found).toMatchObject({
      ...{ version: '2026-07-28', slow: 'Worked for 0.5 seconds\n', echo: 'ă "x"', failed: true },
      ...{ resources: ['demo://about'], about: 'demo', prompts: ['introduce'], prompt: 1 },
    })
    expect(found).toHaveProperty('tools', expect.arrayContaining(['echo', 'slow']))
    expect((found as { steps: number }).steps).toBeGreaterThan(0)
  })

  it('a call is cancelled in the agent, too, and the client goes on', async () => {
    const found = await inPage(
      `const abort = new AbortController()
       const call = client.callTool('slow', { seconds: 60 }, { signal: abort.signal, onProgress: () => abort.abort() })
       const error = await call.then(() => null, told)
       return { error, after: (await client.callTool('echo', { text: 'on' })).content[0].text }`,
    )
    expect(found).toMatchObject({ error: { name: 'AbortError' }, after: 'on' })
  })

  it('what is refused has words and a code', async () => {
    expect(await inPage(`return await client.listTools().then(() => null, told)`, '/mcps/nobody')).toMatchObject({
      ...{ name: 'McpError', code: 'AGENT_NOT_FOUND' },
    })
    expect(await inPage(`return await client.getPrompt('nothing').then(() => null, told)`)).toMatchObject({
      ...{ name: 'McpError', code: -32602 },
    })
    // The refusals are the only errors that the browser itself reports, and no policy was broken.
    expect(watched.faults.filter((fault) => !/status of 40[04]/.test(fault))).toEqual([])
  })
})
