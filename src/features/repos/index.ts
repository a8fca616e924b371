/** Repositories of agent definitions, and the catalog: the view over all enabled ones. */
export { type Catalog, type CatalogOptions, createCatalog, type Definition, type RepoInfo } from './catalog.ts'
export type { EnsureOptions, WantedRepos } from './ensure.ts'
export { PREDEFINED } from './predefined.ts'
export type { RepoChange } from './put.ts'
export { BUILTIN_REPO } from './repo-root.ts'
export { createRepoService, type RepoService, type RepoUpdate } from './service.ts'
