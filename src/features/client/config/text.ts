/** What `mcp config` says to a person. */
import type { Out } from '../../../cli/command.ts'
import type { ConfigResult } from './install.ts'

const colored = (line: string, { color }: Out): string => {
  const code = line.startsWith('+') ? 32 : line.startsWith('-') ? 31 : null
  return color && code !== null ? `\u001b[${code}m${line}\u001b[0m` : line
}

export function configText(result: ConfigResult, out: Out): string {
  const { title, file, outcome, text, command, diff, backup, notes } = result
  const remarks = notes.map((note) => `Note: ${note}`)
  const next = `Next: ${result.next}`
  switch (outcome) {
    case 'shown':
      return [
        `${title}: add this to ${file}`,
        '',
        text,
        ...(command === null ? [] : [`Or run: ${command}`]),
        ...remarks,
      ].join('\n')
    case 'unchanged':
      return `${title} has it already: ${file}`
    case 'would-change':
      return [...(diff ?? '').split('\n').map((line) => colored(line, out)), '', 'Nothing was changed'].join('\n')
    case 'changed':
      return [`${title}: changed ${file}`, ...(backup === null ? [] : [`Before: ${backup}`]), ...remarks, next].join(
        '\n',
      )
  }
}
