/** Lifecycle hooks: an author's shell lines, on this machine (with a person's consent) and in the container. */
export { createConsents, type ConsentReview, type Consents, hostHooksOf } from './consent.ts'
export { createHookRunner, type HookContext, type HookRunner } from './run.ts'
