import { PloinkyError } from '../../src/core/error.ts'

export const missing = (name: string): PloinkyError =>
  new PloinkyError('WORKLOAD_NOT_FOUND', `There is no instance "${name}"`, { hint: 'See what runs: ploinky status' })

export const imageNotFound = (reference: string): PloinkyError =>
  new PloinkyError('IMAGE_NOT_FOUND', `Image "${reference}" was not found`, {
    hint: 'Check the name of the image in the manifest, then run: ploinky start',
    details: { image: reference },
  })
