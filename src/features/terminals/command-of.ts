/** What a terminal runs: the agent's program, a shell, or what the policy allows besides. Pure. */
import { PloinkyError } from '../../core/error.ts'

export function commandOf(
  command: string | null,
  { cli, allowed }: { cli: readonly string[]; allowed: readonly string[] },
): { argv: readonly string[]; words: string } {
  if (command === null || command === 'cli') return { argv: cli, words: 'cli' }
  if (command === 'shell') return { argv: ['sh'], words: 'shell' }
  if (allowed.includes(command) || allowed.includes('*')) return { argv: [command], words: command }
  throw new PloinkyError(
    'DENIED',
    `Command ${JSON.stringify(command.slice(0, 80))} may not be run in a terminal of the web`,
    {
      hint: 'Use cli or shell, or allow it: ploinky config terminalCommands NAME',
    },
  )
}
