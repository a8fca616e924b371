/** `.env` files: what editors and other tools write, what hostile ones hold, and which file counts. */
import { chmod, chown, lchown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseDotEnv } from '../../../src/features/variables/dotenv.ts'
import { findDotEnv, foldersUpward } from '../../../src/features/variables/find-dotenv.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

const parse = (text: string): Record<string, string> =>
  Object.fromEntries([...parseDotEnv(text).values].map(([name, { value }]) => [name, value.reveal()]))
const problems = (text: string): string[] =>
  parseDotEnv(text).problems.map(({ line, message }) => `${line}: ${message}`)

describe('reading', () => {
  it.each<[string, Record<string, string>]>([
    ['A=1', { A: '1' }],
    ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=1\rB=2', { A: '1', B: '2' }],
    ['  A = two words  ', { A: 'two words' }],
    ['export A=1\nexport\tB=2', { A: '1', B: '2' }],
    ['A=', { A: '' }],
    ['# A=1\n\n   # B=2', {}],
    ['A=a=b==', { A: 'a=b==' }],
    ['A=1 # comment', { A: '1' }],
    ['A=#comment', { A: '' }],
    ['A=a#b', { A: 'a#b' }],
    ['A="1 # no comment" # comment', { A: '1 # no comment' }],
    ["A='$B \\n \"'", { A: '$B \\n "' }],
    ['A="a\\nb\\t\\"c\\"\\\\ \\$B \\x"', { A: 'a\nb\t"c"\\ $B \\x' }],
    ['A="$B ${B}"', { A: '$B ${B}' }],
    ['A=""\nB=\'\'', { A: '', B: '' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ["A='-----BEGIN\r\nx=\r\n-----END'\r\nB=1", { A: '-----BEGIN\nx=\n-----END', B: '1' }],
    ['A=it\'s "fine"', { A: 'it\'s "fine"' }],
    ['A=é中😀', { A: 'é中😀' }],
    ['constructor=1', { constructor: '1' }],
  ])('%j', (text, values) => {
    expect(parse(text)).toEqual(values)
    expect(problems(text)).toEqual([])
  })

  it.each<[string, string[]]>([
    ['hunter2', ['1: not NAME=value; ignored']],
    ['A=1\n1B=hunter2\nA-B=2\n=3\nÄ=4', [2, 3, 4, 5].map((line) => `${line}: not NAME=value; ignored`)],
    ['__proto__=1', ['1: not NAME=value; ignored']],
    ['A="hunter2', ['1: A: the quote is not closed; ignored']],
    ['A="1" hunter2', ['1: A: text behind the closing quote; ignored']],
    ['A=a\0b', ['1: A: a NUL character; ignored']],
    ['A=1\nA=2', ['2: A is given again; the last one counts']],
    [`A=${'x'.repeat(200_000)}`, ['1: A: longer than 131071 bytes; ignored']],
    [`A="${'x\n'.repeat(200_000)}"`.slice(0, 300_000), ['1: A: longer than 131071 bytes; ignored']],
  ])('%.40j has problems with lines, and without what stands there', (text, expected) => {
    expect(problems(text).slice(0, expected.length)).toEqual(expected)
    expect(problems(text).join()).not.toContain('hunter2')
  })

  it('goes on behind a quote that is not closed, in time that grows with the file', () => {
    const text = `${'A="x\n'.repeat(20_000)}B=1`
    expect(parse(text)['B']).toBe('1')
  })
})

describe('which file counts', () => {
  let root: string
  let warnings: string[]
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-dotenv-')))
    await mkdir(join(root, 'home/work/ws'), { recursive: true })
    warnings = []
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const uid = process.getuid?.() ?? -1
  const find = async (change: { uid?: number; home?: string } = {}) => {
    const found = await findDotEnv({
      fs: createFileSystem(),
      root: join(root, 'home/work/ws'),
      home: join(root, 'home'),
      uid,
      onWarning: (message) => warnings.push(message),
      ...change,
    })
    return found === null ? null : [dirname(found.file).slice(root.length), [...found.values.keys()].join()]
  }
  const put = async (folder: string, text: string, mode = 0o600): Promise<string> => {
    const file = join(root, folder, '.env')
    await writeFile(file, text)
    await chmod(file, mode)
    return file
  }

  it('the nearest one alone, not further up than the home folder', async () => {
    await put('.', 'OUTSIDE=1')
    expect(await find()).toBe(null)
    await put('home', 'HOME_ONE=1')
    expect(await find()).toEqual(['/home', 'HOME_ONE'])
    await put('home/work', 'WORK=1')
    expect(await find()).toEqual(['/home/work', 'WORK'])
    await put('home/work/ws', 'WS=1')
    expect(await find()).toEqual(['/home/work/ws', 'WS'])
    expect(warnings).toEqual([])
  })

  it('outside of the home folder: up to the root', () => {
    expect(foldersUpward('/a/b/c', '/home/me')).toEqual(['/a/b/c', '/a/b', '/a', '/'])
    expect(foldersUpward('/home/me/x', '/home/me')).toEqual(['/home/me/x', '/home/me'])
    expect(foldersUpward('/home/me', '/home/me')).toEqual(['/home/me'])
    expect(foldersUpward('/', '/home/me')).toEqual(['/'])
  })

  it('a folder of this name is passed by: it is a Python environment', async () => {
    await mkdir(join(root, 'home/work/ws/.env'))
    await put('home', 'A=1')
    expect([await find(), warnings]).toEqual([['/home', 'A'], []])
  })

  it('one that everybody may write is refused, and no other one is looked for', async () => {
    await put('home', 'A=1')
    const file = await put('home/work', 'B=hunter2', 0o666)
    expect(await find()).toBe(null)
    expect(warnings).toEqual([`${file} is not read: everybody may write it; run: chmod o-w ${file}`])
  })

  it('one of another user is refused', async () => {
    await put('home/work', 'B=hunter2')
    // Root's own are the system's: so seen from somebody else, whom nobody else's file concerns.
    if (uid === 0) await chown(join(root, 'home/work/.env'), 12_345, 12_345)
    expect(await find({ uid: uid === 0 ? 0 : uid + 1 })).toBe(null)
    expect(warnings.join()).toMatch(/is not read: it belongs to another user \(\d+\)$/)
    expect(warnings.join()).not.toContain('hunter2')
  })

  it.runIf(uid === 0)('a link of another user to a file of this one is refused as well', async () => {
    await put('home', 'A=hunter2')
    const link = join(root, 'home/work/.env')
    await symlink(join(root, 'home/.env'), link)
    expect(await find()).toEqual(['/home/work', 'A'])
    await lchown(link, 12_345, 12_345)
    expect(await find()).toBe(null)
  })

  it('one that is no file or too large is refused, a link to nowhere is none', async () => {
    await symlink('/dev/zero', join(root, 'home/work/ws/.env'))
    expect(await find()).toBe(null)
    expect(warnings.join()).toContain('it is not a file')
    await rm(join(root, 'home/work/ws/.env'))
    await symlink('/nowhere/at/all', join(root, 'home/work/ws/.env'))
    await put('home', `A=1\n${'#'.repeat(1024 * 1024)}`)
    expect(await find()).toBe(null)
    expect(warnings.join()).toContain('at most 1048576 are read')
  })

  it('wrong lines are warnings that name file and line', async () => {
    const file = await put('home/work', 'A=1\nhunter2\n')
    expect([await find(), warnings]).toEqual([['/home/work', 'A'], [`${file} line 2: not NAME=value; ignored`]])
  })
})
