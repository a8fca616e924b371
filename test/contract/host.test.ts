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
      gap('a privileged instance has more rights, and can gain none', noContainer),
      gap('shared memory has the size that was asked for', noContainer),
      gap('gpus are given, or refused', noContainer),
      gap('a file cannot take the place of a folder', noContainer),
      gap('a job is hardened as every instance is', noContainer),
      gap('a job of a missing image is IMAGE_NOT_FOUND and leaves nothing', noImage),
      gap('with checkImage, other content behind the reference replaces the instance', noImage),
      ...[
        'instances of a network find each other by alias, and nobody else does',
        'an instance joins several networks and is published as ever',
        'instances that start side by side share one new network',
        'a network goes with the last instance that uses it, also a stopped one',
        'a change of network replaces the instance and leaves no network behind',
        'sweep removes networks that were left behind',
        'a network that was taken away comes back with its instance',
        'a foreign network with our name is a conflict and stays',
      ].map((test) => gap(test, "there is no network but the host's")),
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
    networksOf: async () => [],
    createForeignNetwork: async () => {
      throw new Error(noContainer)
    },
    removeNetworkBehindBack: async () => {
      throw new Error(noContainer)
    },
    tag: async () => {
      throw new Error(noImage)
    },
    untag: async () => {
      throw new Error(noImage)
    },
    outage: async () => {
      throw new Error(noEngine)
    },
  }),
})
