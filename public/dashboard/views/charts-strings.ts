/** Every word of the view of charts. */
export const words = {
  title: 'Charts',
  note: 'The last hour, a value every ten seconds',
  agents: (count: number) => (count === 1 ? '1 agent' : `${count} agents`),
  choose: (most: number) => `Agents to draw, at most ${most}`,
  all: 'all agents',
  charts: {
    cpu: 'Processor',
    memory: 'Memory',
    requests: 'Requests',
    latency: 'Time to answer',
    errors: 'Failed requests',
  },
  explain: {
    cpu: 'Per cent of one processor',
    memory: 'Without file cache',
    requests: 'Each second, as they pass the router',
    latency: 'Until the answer begins',
    errors: 'Status 500 and more, of a hundred requests',
  },
  quantile: 'Share of requests that is faster',
  quantiles: { p50Ms: 'Half of them (p50)', p95Ms: '95 of 100 (p95)' },
  summary: (title: string, parts: readonly string[]) =>
    parts.length === 0 ? `${title}: nothing measured yet` : `${title}. ${parts.join('. ')}`,
  series: (name: string, now: string, max: string) => `${name}: now ${now}, at most ${max}`,
  hint: 'Arrow keys move along the time, Home and End to its ends, Escape leaves',
  table: 'As a table',
  tableOf: (title: string) => `${title}, table`,
  time: 'Time',
  none: '–',
  empty: 'Nothing measured yet',
  emptyAll:
    'No agent has been measured yet. The router measures while somebody looks: the first values appear within seconds.',
  minutesAgo: (count: number) => (count === 0 ? 'now' : `−${count} min`),
  loading: 'Reading the last hour',
  retry: 'Try again',
  same: 'Same as',
} as const
