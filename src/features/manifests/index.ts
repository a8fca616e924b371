/** Looking at manifests before anything runs: what is wrong with one, what it would run, and its schema for editors. */
export { createManifestService, type ManifestService, type Validation } from './service.ts'
