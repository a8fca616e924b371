/** Agents with pages of their own making, in a workspace. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Workspace } from './workspace.ts'

const FIXTURE = fileURLToPath(new URL('../fixtures/page-agent.mjs', import.meta.url))

/** Name of each agent, and its page. */
export async function startPageAgents(workspace: Workspace, agents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, page] of Object.entries(agents)) {
    const dir = join(workspace.dir, '.ploinky/repos/pages', name)
    await mkdir(dir, { recursive: true })
    await copyFile(FIXTURE, join(dir, 'server.mjs'))
    if (page !== '') await writeFile(join(dir, 'page.html'), page)
    const manifest = {
      about: name,
      container: 'docker.io/library/node:24-alpine',
      agent: 'exec node server.mjs',
      env: { NAME: name },
      readiness: { protocol: 'tcp' },
    }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
  }
  const repos = { version: 1, repos: ['builtin', 'pages'] }
  await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
  for (const name of Object.keys(agents)) await workspace.json(['enable', 'agent', `pages/${name}`])
  await workspace.json(['start'])
}
