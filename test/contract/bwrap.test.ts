import { bwrapRuntime } from '../../runtimes/bwrap/index.ts'
import { bwrapEngine } from '../helpers/runtime-engines.ts'
import { killGroup } from '../helpers/runtime-process.ts'
import { runRuntimeContract } from './runtime.ts'

const noImage = 'there are no images'
const oneUser = 'a sandbox has one user'
const noNetwork = "there is no network but the host's, and none at all"
const noEngine = 'there is no engine that could go away'

const gap = (test: string, reason: string) => ({ test, reason, expect: 'skip' as const })

await runRuntimeContract({
  engine: bwrapEngine(),
  definition: bwrapRuntime,
  target: async () => ({
    images: null,
    missingImage: 'registry.invalid/ploinky/missing:none',
    adapterPerTest: true,
    gaps: [
      gap('a change of image replaces the instance', noImage),
      gap('a missing image is IMAGE_NOT_FOUND and leaves nothing', noImage),
      gap('a foreign container with our name is a conflict and stays untouched', 'names are those of private folders'),
      gap('capabilities are dropped and added', 'there are none, and none can be asked for'),
      gap('the main program runs as the user of the spec', oneUser),
      gap('exec runs as the user asked for', oneUser),
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
      ].map((test) => gap(test, noNetwork)),
      gap('an engine that goes away in mid-call is an error at once', noEngine),
      gap('an engine that goes away ends exec and streams', noEngine),
      gap('an engine that goes away ends the events with an error', noEngine),
      gap('an engine that is away is reported by detect and by every call', noEngine),
    ],
    removeBehindBack: killGroup,
    createForeign: async () => {
      throw new Error(noImage)
    },
    networksOf: async () => [],
    createForeignNetwork: async () => {
      throw new Error(noNetwork)
    },
    removeNetworkBehindBack: async () => {
      throw new Error(noNetwork)
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
