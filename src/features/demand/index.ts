export type { Demand, DemandOptions } from './demand.ts'
export { createDemand } from './demand.ts'
