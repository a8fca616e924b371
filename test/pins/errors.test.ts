import { expect, test } from 'vitest'
import { ERRORS } from '../../src/core/error.ts'

// Scripts branch on exit codes and clients on codes and statuses: a change here is a change for them.
const EXIT_AND_STATUS = {
  INTERNAL: [1, 500],
  USAGE_INVALID: [2, 400],
  COMMAND_UNKNOWN: [2, 404],
  REQUEST_INVALID: [2, 400],
  REQUEST_TOO_LARGE: [2, 413],
  METHOD_NOT_ALLOWED: [2, 405],
  RANGE_INVALID: [2, 416],
  NAME_INVALID: [2, 400],
  CONFIG_INVALID: [3, 500],
  MANIFEST_INVALID: [3, 422],
  STATE_INVALID: [3, 500],
  STATE_VERSION: [3, 500],
  WORKSPACE_NOT_FOUND: [4, 404],
  AGENT_NOT_FOUND: [4, 404],
  AGENT_AMBIGUOUS: [6, 409],
  REPO_NOT_FOUND: [4, 404],
  REPO_UNAVAILABLE: [5, 502],
  ARCHIVE_INVALID: [3, 422],
  ROUTE_NOT_FOUND: [4, 404],
  SESSION_NOT_FOUND: [4, 404],
  BLOB_NOT_FOUND: [4, 404],
  PACKAGE_NOT_FOUND: [4, 404],
  TOOL_NOT_FOUND: [4, 404],
  TOOL_FAILED: [9, 502],
  WORKLOAD_NOT_FOUND: [4, 404],
  IMAGE_NOT_FOUND: [4, 502],
  RUNTIME_UNAVAILABLE: [5, 503],
  RUNTIME_FAILED: [5, 502],
  RUNTIME_OUTPUT_UNREADABLE: [5, 502],
  CAPABILITY_UNSUPPORTED: [5, 501],
  AGENT_FAILED: [5, 503],
  AGENT_NOT_READY: [5, 503],
  AGENT_NOT_RUNNING: [5, 503],
  UPSTREAM_UNREACHABLE: [5, 502],
  UPSTREAM_TIMEOUT: [7, 504],
  ROUTER_NOT_RUNNING: [5, 503],
  ROUTER_FAILED: [5, 500],
  ROUTER_ALREADY_RUNNING: [6, 409],
  PORT_TAKEN: [6, 409],
  LOCKED: [6, 409],
  CONFLICT: [6, 409],
  TIMEOUT: [7, 504],
  UNAUTHENTICATED: [8, 401],
  DENIED: [8, 403],
  RATE_LIMITED: [8, 429],
  CONFIRMATION_REQUIRED: [8, 403],
  INTERRUPTED: [130, 499],
}

test('codes of errors, with exit code of the CLI and HTTP status', () => {
  const table = Object.entries(ERRORS).map(([code, { exit, status }]) => [code, [exit, status]])
  expect(Object.fromEntries(table)).toEqual(EXIT_AND_STATUS)
})

test('exit codes are those of the documentation', () => {
  const exits = new Set(Object.values(ERRORS).map(({ exit }) => exit))
  expect([...exits].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 130])
})
