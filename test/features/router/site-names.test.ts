import { expect, it } from 'vitest'
import { createSiteNames } from '../../../src/features/router/site-names.ts'

it('finds the agent of a host name, whatever the case of its name', () => {
  let names: readonly string[] = ['demo', 'Shell', 'team.Tools']
  const sites = createSiteNames({ names: () => names })
  expect(['demo', 'shell', 'team.tools', 'Demo', 'gone'].map(sites.agentOf)).toEqual([
    ...['demo', 'Shell', 'team.Tools'],
    ...[null, null],
  ])
  expect([sites.hasSite('Shell'), sites.hasSite('shell')]).toEqual([true, false])
  names = ['demo', 'gone']
  expect([sites.agentOf('shell'), sites.agentOf('gone')]).toEqual([null, 'gone'])
})

it('gives a name to neither of two agents that differ in case alone, nor to what no browser takes for a host', () => {
  const sites = createSiteNames({ names: () => ['demo', 'DEMO', 'Demo', '-x', 'x_', 'constructor'] })
  expect(['demo', '-x', 'x_', '__proto__', 'constructor'].map(sites.agentOf)).toEqual([
    null,
    null,
    null,
    null,
    'constructor',
  ])
  expect(sites.hasSite('demo')).toBe(false)
})
