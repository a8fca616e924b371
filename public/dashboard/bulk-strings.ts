/** Every word of what is done to several agents, and of the keys of their list. */
import type { BulkAction, BulkItem } from './bulk-model.ts'

const ACTIONS: Record<BulkAction, string> = { start: 'Start', stop: 'Stop', restart: 'Restart', disable: 'Disable' }
const DOING: Record<BulkAction, string> = {
  start: 'Starting',
  stop: 'Stopping',
  restart: 'Restarting',
  disable: 'Disabling',
}
const DONE: Record<BulkAction, string> = {
  start: 'Started',
  stop: 'Stopped',
  restart: 'Restarted',
  disable: 'Disabled',
}
const agents = (count: number): string => (count === 1 ? '1 agent' : `${count} agents`)

export const words = {
  label: 'List of agents',
  all: 'Select all',
  select: (name: string) => `Select ${name}`,
  chosen: (count: number) => `${count} selected`,
  clear: 'Clear the selection',
  action: ACTIONS,
  /** On a button; how many of the chosen ones it is for. */
  doAll: (action: BulkAction, count: number) => `${ACTIONS[action]} ${agents(count)}`,
  question: (action: BulkAction, count: number) => `${ACTIONS[action]} ${agents(count)}?`,
  list: (names: readonly string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(names),
  consequence: {
    start: 'What they need is started with them.',
    stop: 'Calls that they are working on are cut off, and their addresses answer with an error until they are started again. Their files stay.',
    restart: 'Calls that they are working on are cut off.',
    disable:
      'They are stopped, their containers are removed, and they leave this workspace. Their working folders stay.',
  } satisfies Record<BulkAction, string>,
  progress: (action: BulkAction, done: number, all: number) => `${DOING[action]}: ${done} of ${all}`,
  outcome: (action: BulkAction, counts: { done: number; failed: number; left: number }) =>
    [
      `${DONE[action]} ${agents(counts.done)}`,
      ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
      ...(counts.left > 0 ? [`${counts.left} left as they were`] : []),
    ].join(', '),
  step: (action: BulkAction, step: BulkItem['step']) =>
    ({ waiting: 'Waiting', running: DOING[action], done: DONE[action], failed: 'Failed', left: 'Left as it was' })[
      step
    ],
  stopAfter: 'Stop after this one',
  close: 'Close the results',
  density: { comfortable: 'Rows: comfortable. Switch to compact', compact: 'Rows: compact. Switch to comfortable' },
  keys: {
    open: 'Keys of this list',
    title: 'Keys of this list',
    list: [
      ['j / k', 'Next agent, previous agent'],
      ['Enter', 'Open the agent'],
      ['x', 'Select it, or let it go'],
      ['Shift + x', 'All from the one selected before to this one'],
      ['/', 'Filter agents'],
      ['Escape', 'Clear the selection'],
      ['?', 'These keys'],
      ['Ctrl + K', 'Search and run commands'],
    ],
    single: 'Single letters are keys',
    singleHelp: 'Switch it off if you speak to your computer, or if letters come by themselves.',
    close: 'Close',
  },
} as const
