import { expect, test } from 'vitest'
import { commands } from '../../src/commands.ts'

// People type these, and scripts and agents call them: name, who may call it over HTTP, what it needs, route under /api/v1.
const COMMANDS = [
  'add repo · session admin · POST /repositories',
  'agent logs · session read · GET /agents/{agent}/logs',
  'agent restart · session operate · POST /agents/{agent}/restart',
  'agent start · session operate · POST /agents/{agent}/start',
  'agent stats · session read · GET /agents/{agent}/stats',
  'agent stop · session operate · POST /agents/{agent}/stop',
  'cli · local operate',
  'config explain · session admin · GET /settings',
  'config · local admin',
  'default-skills · local admin',
  'deps clean · local operate',
  'deps prepare · local operate',
  'deps status · local read',
  'destroy · local admin',
  'disable agent · session operate · DELETE /agents/{agent}',
  'disable repo · session admin · POST /repositories/{name}/disable',
  'doctor · session admin · GET /doctor',
  'echo · local admin',
  'enable agent · session operate · POST /agents',
  'enable repo · session admin · POST /repositories/{name}/enable',
  'exec · local operate',
  'expose · session admin · POST /exposed',
  'init agent · local admin',
  'init · local admin',
  'list agents · session read · GET /catalog',
  'list repos · session read · GET /repositories',
  'list routes · session read · GET /routes',
  'logs · local read',
  'open · local admin',
  'plan · session read · GET /agents/{agent}/plan',
  'profile list · local read',
  'profile validate · local read',
  'profile · local admin',
  'restart · local operate',
  'router-serve · local admin',
  'sandbox disable · local admin',
  'sandbox enable · local admin',
  'sandbox status · local read',
  'schema · local read',
  'shell · local operate',
  'shutdown · local operate',
  'start · local operate',
  'stats · local read',
  'status · session read · GET /status',
  'stop · local operate',
  'token rotate · local admin',
  'token · local admin',
  'update · session admin · POST /repositories/update',
  'validate · local read',
  'var · session admin · PUT /variables/{name}',
  'vars · session read · GET /variables',
]

test('commands and who may call them', () => {
  const found = commands.map(({ name, access, permission, http }) =>
    [name, `${access} ${permission}`, ...(http === undefined ? [] : [`${http.method} ${http.path}`])].join(' · '),
  )
  expect(found.sort()).toEqual(COMMANDS)
})
