/** `default-skills`: the skills of a repository, for the assistants that work in this folder. */
import { type Command, defineCommand, type Input } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { SkillChanges } from './index.ts'

const namesOf = (input: Input, key: string): string[] | null =>
  typeof input[key] === 'string' ? input[key].split(',').map((name) => name.trim()) : null

const defaultSkills = defineCommand<Services>({
  name: 'default-skills',
  summary: 'Copy the skills of a repository into .agents/skills',
  description:
    'Copies <repo>/skills/* to .agents/skills, links .claude to .agents, and lists both in .gitignore. Run again, it updates what it copied; files that somebody else made or changed are kept. ploinky-skills-manifest.json in the repository may say which skills there are: {"skills": ["a", {"name": "b", "default": false}]}.',
  group: 'Workspace',
  positionals: ['repo'],
  params: {
    repo: { type: 'string', summary: 'Enabled repository', required: true, complete: 'repos', placeholder: 'repo' },
    only: { type: 'string', summary: 'Only these skills', placeholder: 'A,B' },
    skip: { type: 'string', summary: 'All but these skills', placeholder: 'A,B' },
    remove: { type: 'boolean', summary: 'Remove what was copied and not changed since' },
  },
  examples: [
    { run: 'ploinky default-skills mine', does: 'copies or updates the skills of the repository "mine"' },
    { run: 'ploinky default-skills mine --only review,test', does: 'two of them' },
    { run: 'ploinky default-skills mine --remove', does: 'takes them away again' },
  ],
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const { workspace, skills } = await context.services()
    const choice = {
      repo: String(input['repo']),
      only: namesOf(input, 'only'),
      skip: namesOf(input, 'skip') ?? [],
    }
    await workspace.init()
    return await workspace.exclusive('ploinky default-skills', () =>
      input['remove'] === true ? skills.remove(choice) : skills.install(choice),
    )
  },
  render: (data) => {
    const { skills, written, removed, kept, unchanged } = data as SkillChanges
    const counts = `${written.length} files written, ${removed.length} removed, ${unchanged} unchanged`
    return [
      `Skills: ${skills.join(', ') || 'none'}`,
      counts,
      ...kept.map((path) => `Kept .agents/skills/${path}: it is not as it was copied, or not from here`),
    ].join('\n')
  },
})

export const skillCommands: readonly Command<Services>[] = [defaultSkills]
