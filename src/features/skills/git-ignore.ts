/** Our lines in somebody's .gitignore. Pure. */
import { PloinkyError } from '../../core/error.ts'

const BEGIN = '# >>> ploinky default-skills >>>'
const END = '# <<< ploinky default-skills <<<'

/** The text with our block holding `lines`, or without it when there are none; everything else stays as it is. */
export function withIgnored(text: string, lines: readonly string[]): string {
  const all = text.split('\n')
  const isMark = (mark: string) => (line: string) => line.trimEnd() === mark
  const begins = all.filter(isMark(BEGIN)).length
  const ends = all.filter(isMark(END)).length
  const begin = all.findIndex(isMark(BEGIN))
  const end = all.findIndex(isMark(END))
  if (begins > 1 || begins !== ends || end < begin) {
    throw new PloinkyError('CONFIG_INVALID', 'The ploinky block of .gitignore is not whole', {
      hint: `Edit .gitignore: keep "${BEGIN}" and "${END}" once each, or remove both`,
    })
  }
  const block = lines.length === 0 ? [] : [BEGIN, ...lines, END]
  if (begin >= 0) return [...all.slice(0, begin), ...block, ...all.slice(end + 1)].join('\n')
  if (block.length === 0) return text
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${block.join('\n')}\n`
}
