// What the official suite is run against. Each layer is one engine and one JavaScript runtime of the router.

/**
 * Backends. The everything server speaks HTTP, or stdio behind the router's bridge; the suite itself speaks HTTP only,
 * so what stdio is measured against is the same server over HTTP.
 */
export const SUBJECTS = /** @type {const} */ (['http', 'stdio'])

/** Revisions whose required scenarios are the measure: the last one with sessions, and the stateless one. */
export const REVISIONS = /** @type {const} */ (['2025-11-25', '2026-07-28'])

/**
 * Engines and runtimes of the router. Those of one engine wait for each other.
 * @type {readonly { name: string, engine: string, platform: 'node' | 'deno' }[]}
 */
export const LAYERS = [
  { name: 'conformance:docker', engine: 'docker', platform: 'node' },
  { name: 'conformance:podman', engine: 'podman', platform: 'node' },
  { name: 'conformance:docker-deno', engine: 'docker', platform: 'deno' },
  { name: 'conformance:podman-deno', engine: 'podman', platform: 'deno' },
]
