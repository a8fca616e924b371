/** `enable agent --npm ...`: shows what will run, asks, writes the agent and enables it. */
import { PloinkyError } from '../../../core/error.ts'
import { LOCAL_REPO } from '../local-repo.ts'
import type { TemplateFile } from '../template.ts'
import { planServer, type ServerPlan, type ServerServices, shown } from './plan.ts'
import type { ServerWords } from './source.ts'

interface EnableServices extends ServerServices {
  readonly workspace: { exclusive<T>(what: string, run: () => Promise<T>): Promise<T> }
  readonly scaffold: {
    assertFree(name: string, repo: string): Promise<void>
    write(agent: { name: string; repo: string; files: readonly TemplateFile[] }): Promise<string>
  }
}

export interface EnableServerOptions {
  readonly signal: AbortSignal
  progress(text: string): void
  confirm(question: string): Promise<boolean>
}

export interface EnabledServer {
  readonly agent: string
  readonly ref: string
  readonly outcome: 'enabled'
  readonly path: string
  readonly image: string
  readonly command: readonly string[]
  /** The same in words. */
  readonly runs: string
  readonly package: string | null
}

/** All of it, whatever its length: people decide by what they see. */
function question(plan: ServerPlan): string {
  return [
    `Agent "${plan.name}" will run this in a container of ${shown(plan.image)}:`,
    `  ${plan.argv.map(shown).join(' ')}`,
    ...(plan.package === null ? [] : [`Package: ${shown(plan.package)}`]),
    ...(plan.install === null ? [] : [`Before, once: ${plan.install}`]),
    ...(plan.env.length === 0 ? [] : [`It is given: ${plan.env.join(', ')}`]),
    'Make and enable it?',
  ].join('\n')
}

export async function enableServer(
  services: EnableServices,
  words: ServerWords,
  options: EnableServerOptions,
): Promise<EnabledServer> {
  const { workspace, scaffold } = services
  const plan = await planServer(services, words, options)
  await scaffold.assertFree(plan.name, LOCAL_REPO)
  if (!(await options.confirm(question(plan)))) {
    throw new PloinkyError('DENIED', 'The command was not allowed, so nothing was made', {
      hint: 'Run it again to see the command once more',
    })
  }
  const path = await workspace.exclusive('ploinky enable agent', () =>
    scaffold.write({ name: plan.name, repo: LOCAL_REPO, files: plan.files }),
  )
  return {
    ...{ agent: plan.name, ref: `${LOCAL_REPO}/${plan.name}`, outcome: 'enabled', path },
    ...{ image: plan.image, command: plan.argv, package: plan.package },
    runs: `${plan.argv.map(shown).join(' ')} (in ${plan.image})`,
  }
}
