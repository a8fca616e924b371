import type { TaskStore } from './types.ts'

/** Records of tasks that die with the process: for servers that were given no place to keep them. */
export function createMemoryTaskStore(): TaskStore {
  const records = new Map<string, string>()
  return {
    list: async () => [...records.keys()],
    read: async (id) => records.get(id) ?? null,
    write: async (id, text) => void records.set(id, text),
    remove: async (id) => void records.delete(id),
  }
}
