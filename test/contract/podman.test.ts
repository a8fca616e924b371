import { podmanRuntime } from '../../runtimes/podman/index.ts'
import { byHand, podmanOutage } from '../helpers/runtime-container.ts'
import { IMAGES, podmanEngine } from '../helpers/runtime-engines.ts'
import { runRuntimeContract } from './runtime.ts'

await runRuntimeContract({
  engine: podmanEngine(),
  definition: podmanRuntime,
  target: async () => ({
    images: IMAGES,
    missingImage: '127.0.0.1:1/ploinky/missing:none',
    adapterPerTest: false,
    gaps: [
      {
        test: 'an instance that ran out of memory says so',
        reason: 'podman 4 sees only the end of the first process, which is the init',
        expect: 'skip',
      },
    ],
    ...byHand('podman'),
    outage: (context) => podmanOutage(podmanRuntime, context),
  }),
})
