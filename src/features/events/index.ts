/** What happened, as it is kept: the event log and what of it is an audit record (what a principal asked for). */
export { answered, audited } from './audit.ts'
export { createEventReader, type EventPage, type EventReader } from './reader.ts'
export { type EventFilter, type EventRecord, matches, type Outcome, outcomeOf, readRecord } from './record.ts'
export { keepEvents } from './writer.ts'
