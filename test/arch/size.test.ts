import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { sourceFiles } from './tree.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Lines of code of one function. The functions inside it count for themselves: factories are closures here. */
const LONGEST = 60
/** Lists of cases are long. */
const LONGEST_IN_TESTS = 100

/** Longer with good reason: `path name`, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/compose.ts openServices': 'the one place where all parts meet: a list of parts, without a branch',
}

test('functions are short', { timeout: 60_000 }, async () => {
  const long: string[] = []
  for (const path of sourceFiles(ROOT, ['src', 'runtimes', 'public', 'test'])) {
    if (path.startsWith('src/repositories/')) continue
    long.push(...longFunctions(path, await readFile(join(ROOT, path), 'utf8')))
  }
  const name = (entry: string): string => entry.replace(/ has .*/, '')
  expect(long.filter((entry) => ALLOWED[name(entry)] === undefined)).toEqual([])
  // An exception that is no longer needed goes.
  expect(Object.keys(ALLOWED).filter((entry) => !long.map(name).includes(entry))).toEqual([])
})

test('a long function is found, and what is inside it counts for itself', () => {
  const lines = (count: number): string => 'work()\n'.repeat(count)
  expect(longFunctions('a.ts', `function long() {\n${lines(LONGEST)}}\n`)).toEqual(['a.ts long has 62 lines'])
  expect(longFunctions('a.ts', `const make = () => {\n${lines(20)}return () => {\n${lines(50)}}\n}\n`)).toEqual([])
  expect(longFunctions('a.ts', `function noted() {\n${'// why\n\n'.repeat(LONGEST)}}\n`)).toEqual([])
})

function longFunctions(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const isCode = codeLines(source, text)
  const found: string[] = []
  visit(source)
  return found

  /** Gives the lines of all functions in a node. */
  function visit(node: ts.Node): Set<number> {
    const inner = new Set<number>()
    ts.forEachChild(node, (child) => visit(child).forEach((line) => inner.add(line)))
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inner
    const lines = linesOf(source, node).filter((line) => isCode.has(line))
    // The lines where an inner function begins or ends are shared; that is near enough.
    const own = lines.filter((line) => !inner.has(line))
    if (own.length > (path.startsWith('test/') ? LONGEST_IN_TESTS : LONGEST))
      found.push(`${path} ${nameOf(node)} has ${own.length} lines`)
    return new Set(lines)
  }
}

function linesOf(source: ts.SourceFile, node: ts.Node): number[] {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line
  const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Lines with a token on them: neither blank nor only a comment. */
function codeLines(source: ts.SourceFile, text: string): Set<number> {
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isToken(node) && node.getWidth(source) > 0) linesOf(source, node).forEach((line) => lines.add(line))
    // Not forEachChild: braces and commas are tokens too.
    node.getChildren(source).forEach(visit)
  }
  if (text.trim() !== '') visit(source)
  return lines
}

function nameOf(node: ts.Node): string {
  if ('name' in node && node.name !== undefined) return (node.name as ts.Node).getText()
  const { parent } = node
  if (parent !== undefined && 'name' in parent && parent.name !== undefined) return (parent.name as ts.Node).getText()
  if (parent !== undefined && ts.isCallExpression(parent)) return `in ${parent.expression.getText().split('\n', 1)[0]}`
  return 'without a name'
}
