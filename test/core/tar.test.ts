/** Archives of one file, and everything that must not be taken for one. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { readTar, type TarEntry, writeTar } from '../../src/core/tar.ts'

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function join(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function entries(bytes: Uint8Array): Promise<(Omit<TarEntry, 'data'> & { text: string })[]> {
  const found: (Omit<TarEntry, 'data'> & { text: string })[] = []
  for await (const { data, ...entry } of readTar(chunks(bytes)))
    found.push({ ...entry, text: (await join(data())).toString('latin1') })
  return found
}

const file = (name: string, content: string) =>
  join(
    writeTar(
      { name, size: Buffer.byteLength(content), mode: 0o640, mtimeMs: 1_700_000_000_000 },
      chunks(Buffer.from(content)),
    ),
  )

describe('tar', () => {
  it.each(['plain', 'ünïcödé 🦀', 'n'.repeat(100), 'n'.repeat(101), `${'ü'.repeat(120)}.txt`, 'new\nline', '-x'])(
    'what is written is read again: %s',
    async (name) => {
      const bytes = await file(name, 'content')
      expect(bytes.byteLength % 512).toBe(0)
      expect(await entries(bytes)).toEqual([
        ...[
          { path: name, kind: 'file', size: 7, mode: 0o640, mtimeMs: 1_700_000_000_000, target: '', text: 'content' },
        ],
      ])
    },
  )

  it('is what other programs take', async () => {
    const name = `${'long-ü-'.repeat(30)}.txt`.slice(0, 200)
    for (const each of ['short', name]) {
      const out = execFileSync('tar', ['--extract', '--to-stdout', '--file', '-'], {
        input: await file(each, 'as it was'),
      })
      expect(out.toString()).toBe('as it was')
    }
  })

  it('is not made of another number of bytes than was said', async () => {
    const about = { name: 'x', size: 3, mode: 0o644, mtimeMs: 0 }
    for (const content of ['ab', 'abcd'])
      await expect(join(writeTar(about, chunks(Buffer.from(content))))).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
      })
  })

  it('devices, pipes and hard links are neither files nor folders; damage is an error', async () => {
    const bytes = await file('x', 'content')
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes)
      copy[at] = value
      const sum = copy
        .subarray(0, 512)
        .reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0)
      copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
      return copy
    }
    for (const type of '1346') {
      const [entry] = await entries(changed(156, type.charCodeAt(0))).catch(() => [{ kind: 'other' }])
      expect(entry?.kind).toBe('other')
    }
    for (const type of 'SDVMN9') {
      await expect(entries(changed(156, type.charCodeAt(0))), type).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    }
    const damaged = Buffer.from(bytes)
    damaged[0] = 0x41
    await expect(entries(damaged)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    for (const length of [0, 1, 511, 512, 515, 1023])
      await expect(entries(bytes.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
      })
  })
})
