/** A process of its own that changes a state document again and again: `state-writer.ts <folder> <key> <times>`. */
import { createFileStore } from '../../src/platform/file-store.ts'
import { createFileSystem } from '../../src/platform/files.ts'
import { createLock } from '../../src/platform/lock.ts'
import { createProcesses } from '../../src/platform/processes.ts'
import { countsDocument } from './state-document.ts'

const [root = '', key = '', times = '1'] = process.argv.slice(2)
const store = createFileStore({
  root,
  fs: createFileSystem(),
  lock: createLock(createProcesses().info),
  onRecovered: ({ problem }) => process.stderr.write(`recovered: ${problem}\n`),
})
for (let i = 0; i < Number(times); i++) {
  await store.update(countsDocument, ({ counts, padding }) => ({
    counts: { ...counts, [key]: (counts[key] ?? 0) + 1 },
    padding,
  }))
  // What was acknowledged must be there afterwards, whatever happens to this process next.
  process.stdout.write(`${i + 1}\n`)
}
