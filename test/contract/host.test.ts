import { hostRuntime } from '../../runtimes/host/index.ts'
import { killGroup } from '../helpers/runtime-process.ts'
import { runRuntimeContract } from './runtime.ts'

const noImage = 'there are no images'
const noContainer = 'there is no container: programs run as the user and see the host'
const noEngine = 'there is no engine that could go away'

const gap = (test: string, reason: string) => ({ test, reason, expect: 'skip' as const })

await runRuntimeContract({
  engine: 'host',
  definition: hostRuntime,
  target: async () => ({
    images: null,
    missingImage: 'registry.invalid/ploinky/missing:none',
    adapterPerTest: true,
    gaps: [
      gap('a change of image replaces the instance', noImage),
      gap('a missing image is IMAGE_NOT_FOUND and leaves nothing', noImage),
      gap('a foreign container with our name is a conflict and stays untouched', 'names are those of private folders'),
      gap('nothing in the container can gain privileges', noContainer),
      gap('the first process is an init that reaps orphans', noContainer),
      gap('a read-only root cannot be written', noContainer),
      gap('capabilities are dropped and added', noContainer),
      gap('the main program runs as the user of the spec', noContainer),
      gap('exec runs as the user asked for', noContainer),
      gap('no network means loopback only', noContainer),
      gap('a writable mount is written, a read-only mount is not', noContainer),
      gap('a mount may have an odd name', noContainer),
      gap('a single file can be mounted', noContainer),
      gap('an engine that goes away in mid-call is an error at once', noEngine),
      gap('an engine that goes away ends exec and streams', noEngine),
      gap('an engine that goes away ends the events with an error', noEngine),
      gap('an engine that is away is reported by detect and by every call', noEngine),
    ],
    removeBehindBack: killGroup,
    createForeign: async () => {
      throw new Error(noContainer)
    },
    outage: async () => {
      throw new Error(noEngine)
    },
  }),
})
