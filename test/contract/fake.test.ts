import { createFakeRuntime, createFakeWorld, removeFromWorld } from '../../runtimes/fake/index.ts'
import { contractPrograms } from '../helpers/runtime-fake.ts'
import { runRuntimeContract } from './runtime.ts'

const images = { small: 'fake.invalid/small:1', node: 'fake.invalid/node:1' }
const world = createFakeWorld(Object.values(images))
const definition = createFakeRuntime({ world, programs: contractPrograms })

const noProcess = 'programs are functions of this process: there is no kernel between them and us'
const noFolder = 'programs are functions: they see no mounted folder'

await runRuntimeContract({
  engine: 'fake',
  definition,
  target: async () => ({
    images,
    missingImage: 'registry.invalid/ploinky/missing:none',
    adapterPerTest: true,
    gaps: [
      { test: 'nothing in the container can gain privileges', reason: noProcess, expect: 'skip' },
      { test: 'the first process is an init that reaps orphans', reason: noProcess, expect: 'skip' },
      { test: 'a read-only root cannot be written', reason: noProcess, expect: 'skip' },
      { test: 'capabilities are dropped and added', reason: noProcess, expect: 'skip' },
      { test: 'the main program runs as the user of the spec', reason: noProcess, expect: 'skip' },
      { test: 'exec runs as the user asked for', reason: noProcess, expect: 'skip' },
      { test: 'no network means loopback only', reason: noProcess, expect: 'skip' },
      { test: 'a writable mount is written, a read-only mount is not', reason: noFolder, expect: 'skip' },
      { test: 'a mount may have an odd name', reason: noFolder, expect: 'skip' },
      { test: 'a single file can be mounted', reason: noFolder, expect: 'skip' },
      { test: 'a file cannot take the place of a folder', reason: noFolder, expect: 'skip' },
      { test: 'a job has environment, folder and mounts of its spec', reason: noFolder, expect: 'skip' },
      { test: 'a job is hardened as every instance is', reason: noProcess, expect: 'skip' },
      { test: 'what a job leaves in the background ends with it', reason: noProcess, expect: 'skip' },
      { test: 'a job whose starter was killed is found and removed', reason: noProcess, expect: 'skip' },
      { test: 'a privileged instance has more rights, and can gain none', reason: noProcess, expect: 'skip' },
      { test: 'shared memory has the size that was asked for', reason: noProcess, expect: 'skip' },
      { test: 'gpus are given, or refused', reason: noProcess, expect: 'skip' },
      ...[
        'files: links are read, replaced by writes, and lead to no device',
        'files: what is mounted to be read is not written',
        'files: the replaced file keeps its mode, a new one is readable',
        'files: memory file systems count, and an image without a shell has files too',
        'files: 50 MB go in and come out without memory growth',
      ].map((test) => ({ test, reason: 'files are kept in memory, without links', expect: 'skip' as const })),
      ...[
        'instances of a network find each other by alias, and nobody else does',
        'an instance joins several networks and is published as ever',
      ].map((test) => ({ test, reason: 'programs are in the network of this process', expect: 'skip' as const })),
      { test: 'a udp port is published', reason: 'the platform port offers no datagrams', expect: 'skip' },
      {
        test: '50 MB come through logs without loss or memory growth',
        reason: 'logs are kept in memory and bounded',
        expect: 'skip',
      },
      {
        test: 'interactive without a terminal is a command with plain pipes',
        reason: 'there is no program that could be handed over',
        expect: 'skip',
      },
      {
        test: 'interactive with a terminal hands it over',
        reason: 'there is no program that could be handed over',
        expect: 'skip',
      },
      {
        test: 'a program that does not exist is an error and leaves nothing running',
        reason: 'an unknown command stands for a service, so that pages have something to show',
        expect: 'skip',
      },
      ...[
        'an engine that goes away in mid-call is an error at once',
        'an engine that goes away ends exec and streams',
        'an engine that goes away ends the events with an error',
        'an engine that is away is reported by detect and by every call',
      ].map((test) => ({ test, reason: 'the engine is this process', expect: 'skip' as const })),
    ],
    removeBehindBack: ({ name }) => removeFromWorld(world, name),
    createForeign: async (name) => {
      world.foreign.add(name)
      return {
        isUntouched: async () => world.foreign.has(name),
        [Symbol.asyncDispose]: async () => void world.foreign.delete(name),
      }
    },
    networksOf: async (workspace) =>
      [...world.networks].filter(([, owner]) => owner === workspace).map(([name]) => name),
    createForeignNetwork: async (name) => {
      world.networks.set(name, '')
      return {
        isUntouched: async () => world.networks.get(name) === '',
        [Symbol.asyncDispose]: async () => void world.networks.delete(name),
      }
    },
    removeNetworkBehindBack: async (name) => void world.networks.delete(name),
    tag: async (image, reference) => {
      world.images.add(reference)
      world.imageIds.set(reference, `fake:${image}`)
    },
    untag: async (reference) => void world.images.delete(reference),
    outage: async () => {
      throw new Error('the fake has no connection that could be cut')
    },
  }),
})
