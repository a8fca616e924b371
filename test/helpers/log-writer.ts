/** A process of its own that writes numbered lines to a log that others write, too: `<folder> <name> <lines>`. */
import { join } from 'node:path'
import { createLogWriter, createRotation } from '../../src/features/logs/index.ts'
import { createPlatform } from '../../src/platform/create.ts'

const [folder = '', name = '', count = '0'] = process.argv.slice(2)
const platform = createPlatform()
const limits = { maxBytes: 20_000, maxAgeDays: 1, keep: 10_000 }
const rotation = createRotation(platform, { lockFile: join(folder, 'lock'), limits })
const failures: string[] = []
const onError = (message: string): void => void failures.push(message)
const path = join(folder, 'test.log')
const writer = createLogWriter({ fs: platform.fs, path, rotation, onError })
for (let i = 0; i < Number(count); i++) {
  writer.write(JSON.stringify({ ts: new Date().toISOString(), name, i, text: 'ž'.repeat(i % 50) }))
  if (i % 20 === 0) await rotation.rotate(path)
}
await writer.settled()
if (failures.length > 0) throw new Error(failures.join('\n'))
