/** Every bound of the AgentServer in one place. Sizes are bytes, times are milliseconds. */
export const LIMITS = {
  /** A configuration of 512 tools with long descriptions stays far below this. */
  configBytes: 1024 * 1024,
  tools: 512,
  resources: 512,
  prompts: 256,
  /** Fields of one tool, nested ones included. */
  fieldsPerTool: 512,
  fieldDepth: 16,
  /** MCP allows tool names of 1 to 128 characters (specification 2025-11-25, server/tools). */
  nameLength: 128,
  descriptionLength: 32 * 1024,
  requestBytes: 4 * 1024 * 1024,
  stdoutBytes: 1024 * 1024,
  stderrBytes: 64 * 1024,
  stderrLineBytes: 64 * 1024,
  /** Longest error text that a caller gets to see. */
  errorChars: 4096,
  /** Linux refuses a single variable of 128 KiB (MAX_ARG_STRLEN); larger arguments travel on standard input only. */
  argumentEnvBytes: 64 * 1024,
  argumentEnvTotalBytes: 256 * 1024,
  /** For tools without `timeoutMs`: long enough for real work, short enough that a stuck command is not kept for ever. */
  defaultTimeoutMs: 60 * 60 * 1000,
  maxTimeoutMs: 24 * 60 * 60 * 1000,
  /** Commands that run at once, and calls that wait for a place. */
  parallelRuns: 32,
  waitingRuns: 256,
  /** Asynchronous tools that run at once when the configuration does not say (`maxParallelTasks`), and the most it may say. */
  parallelTasks: 10,
  maxParallelTasks: 256,
  /** Tasks that wait for a place. */
  waitingTasks: 1000,
  /** The end of a task's output that is kept (`taskLogTailBytes`). */
  taskLogTailBytes: 128 * 1024,
  maxTaskLogTailBytes: 1024 * 1024,
  /** Finished tasks: kept for a day, the oldest given up before that when there are too many or they are too large together. */
  taskRetentionMs: 24 * 60 * 60 * 1000,
  finishedTasks: 1000,
  finishedTaskBytes: 64 * 1024 * 1024,
  /** A larger record on disk was not written by us. */
  taskRecordBytes: 16 * 1024 * 1024,
  /** How often the record of a running task is written while its output grows. */
  taskSaveIntervalMs: 1000,
  /** What clients are told to wait between two looks at a task. */
  taskPollIntervalMs: 1000,
  sessions: 256,
  sessionIdleMs: 30 * 60 * 1000,
  /** Progress faster than this is thinned out; the latest value always arrives. */
  progressIntervalMs: 50,
  /** Log lines that one call may send to the client. */
  logLinesPerCall: 1000,
} as const
