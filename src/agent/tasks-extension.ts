import { isObject, own } from './check.ts'

/** The official extension for tasks, revision 2026-07-28 (modelcontextprotocol/ext-tasks, `specification/2026-07-28/tasks.md`). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
/** What a client is told that asks for tasks without declaring the extension. */
export const TASKS_REQUIRED = { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } }

/** True when capabilities of a client name the extension: only then may it be answered with a task. */
export function declaresTasks(capabilities: unknown): boolean {
  const extensions = isObject(capabilities) ? own(capabilities, 'extensions') : undefined
  return isObject(extensions) && isObject(own(extensions, TASKS_EXTENSION))
}
