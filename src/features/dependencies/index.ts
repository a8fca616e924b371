/** Packages that agents' `package.json` ask for: installed once for a kind of runtime, in a throw-away container, and shared. */
export { createDependencies, type Dependencies, type DependencyState } from './service.ts'
