/** A process of its own that runs a job and waits for it: `<runtime> <state folder> <job spec as JSON>`. */
import type { JobSpec, RuntimeId } from '../../runtimes/adapter.ts'
import { runtimeLoaders } from '../../runtimes/index.ts'
import { silentLogger } from '../../src/core/log.ts'
import { createPlatform } from '../../src/platform/create.ts'

const [runtime, stateDir = '', job = ''] = process.argv.slice(2)
if (runtime === undefined || !Object.hasOwn(runtimeLoaders, runtime)) throw new Error(`no runtime "${runtime}"`)
const definition = await runtimeLoaders[runtime as RuntimeId]()
const adapter = definition.create({ platform: createPlatform(), log: silentLogger, stateDir })
await adapter.detect()
const session = await adapter.job(JSON.parse(job) as JobSpec)
for await (const chunk of session.stdout) process.stdout.write(chunk)
await session.exit
