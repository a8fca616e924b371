/** Every word of the view of the topology. */
export const words = {
  title: 'Topology',
  note: 'Who needs whom, and who may call whom',
  drawing: 'Drawing',
  needs: 'needs: is started with it',
  calls: 'may call it',
  legend: 'Lines',
  list: 'As a list',
  needsOne: (from: string, to: string) => `${from} needs ${to}`,
  callsAll: (from: string, to: string) => `${from} may call everything of ${to}`,
  callsSome: (from: string, to: string, tools: readonly string[]) => `${from} may call ${tools.join(', ')} of ${to}`,
  alone: 'Agents without any connection',
  missing: 'Not enabled',
  empty:
    'No agent needs another one or may call it. A manifest says so with "enable" and "calls"; for two agents that are there, run:',
  emptyCommand: 'ploinky grant <caller> <agent>',
  same: 'Same as',
  command: 'ploinky grants',
  loading: 'Reading the agents',
} as const
