/** Repositories that have a name everywhere: `ploinky add repo basic` needs no address. */
import { own } from '../../core/id.ts'

const GITHUB = 'https://github.com'

/** Facts of the original product, section 9. */
export const PREDEFINED: Readonly<Record<string, string>> = {
  basic: `${GITHUB}/PloinkyRepos/Basic.git`,
  cloud: `${GITHUB}/PloinkyRepos/cloud.git`,
  vibe: `${GITHUB}/PloinkyRepos/vibe.git`,
  security: `${GITHUB}/PloinkyRepos/security.git`,
  extra: `${GITHUB}/PloinkyRepos/extra.git`,
  demo: `${GITHUB}/PloinkyRepos/demo.git`,
  proxies: `${GITHUB}/PloinkyRepos/proxies.git`,
  AchillesIDE: `${GITHUB}/PloinkyRepos/AssistOSExplorer.git`,
  AchillesCLI: `${GITHUB}/OutfinityResearch/AchillesCLI.git`,
  AchillesCopilotBasicSkills: `${GITHUB}/AssistOS-AI/AchillesCopilotBasicSkills.git`,
}

export const predefinedUrl = (name: string): string | null => own(PREDEFINED, name) ?? null
