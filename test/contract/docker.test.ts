import { dockerRuntime } from '../../runtimes/docker/index.ts'
import { byHand, dockerOutage } from '../helpers/runtime-container.ts'
import { IMAGES } from '../helpers/runtime-engines.ts'
import { runRuntimeContract } from './runtime.ts'

await runRuntimeContract({
  engine: 'docker',
  definition: dockerRuntime,
  target: async () => ({
    images: IMAGES,
    missingImage: '127.0.0.1:1/ploinky/missing:none',
    adapterPerTest: false,
    gaps: [],
    ...byHand('docker'),
    outage: (context) => dockerOutage(dockerRuntime, context),
  }),
})
