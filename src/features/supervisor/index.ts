/** Supervision of agents: noticed when one ends or hangs, started again by policy, shown as it is. */
export { type AgentStats, createStatsService, type StatsService } from './stats.ts'
export { createSupervisor, type Supervisor } from './supervisor.ts'
