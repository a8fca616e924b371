/** Supervision of agents: noticed when one ends or hangs, started again by policy, shown as it is. */
export { createSupervisor, type Supervisor } from './supervisor.ts'
