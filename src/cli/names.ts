/** What the CLI asks the workspace for while it reads a line: names for completion, history, the prompt. */
import type { Services } from '../services.ts'
import type { CompletionSource } from './completion.ts'
import type { HistoryStore } from './history.ts'
import type { Globals } from './parse.ts'

type Open = (globals: Globals) => Promise<Services>

async function withServices<T>(open: Open, globals: Globals, use: (services: Services) => Promise<T>): Promise<T> {
  const services = await open(globals)
  try {
    return await use(services)
  } finally {
    await services.dispose()
  }
}

export function completeNames(open: Open): CompletionSource {
  return (kind, globals) =>
    withServices(open, globals, async (services) => {
      switch (kind) {
        case 'agents':
          return (await services.registry.list()).map(({ name }) => name)
        case 'catalog':
          return (await services.catalog.definitions()).map(({ agent }) => agent)
        case 'repos':
          return (await services.catalog.repos()).map(({ name }) => name)
        case 'settings':
          return services.settings.explain().map(({ name, summary }) => ({ value: name, summary }))
      }
    })
}

export function historyOf(open: Open): (globals: Globals) => HistoryStore {
  return (globals) => ({
    load: () =>
      withServices(open, globals, async ({ platform, paths }) =>
        ((await platform.fs.readText(paths.history)) ?? '').split('\n').filter(Boolean),
      ),
    save: (lines) =>
      withServices(open, globals, async ({ platform, paths, workspace }) => {
        // Looking around in a folder must not make a workspace of it.
        if (await workspace.exists())
          await platform.fs.writeAtomic(paths.history, `${lines.join('\n')}\n`, { mode: 0o600 })
      }),
  })
}

export const workspaceName =
  (open: Open) =>
  (globals: Globals): Promise<string> =>
    withServices(open, globals, async ({ paths }) => paths.root.split('/').at(-1) ?? paths.root)
