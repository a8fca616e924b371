/** Every word of the view of logs. */
import type { Level } from '../watch/log-line.ts'

const LEVELS: Record<Level, string> = {
  debug: 'All levels',
  info: 'Info and above',
  warn: 'Warnings and errors',
  error: 'Errors only',
}
const LEVEL_NAMES: Record<Level, string> = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' }

export const words = {
  title: 'Logs',
  router: 'router',
  sources: (count: number, first: string) =>
    count === 0 ? 'No log chosen' : count === 1 ? `Log: ${first}` : `${count} logs`,
  choose: 'Logs to read',
  chooseAll: 'All of them',
  chooseNone: 'None of them',
  level: 'Least level',
  levels: LEVELS,
  levelName: (level: Level) => LEVEL_NAMES[level],
  range: 'Time range',
  ranges: {
    '': 'Any time',
    '5m': 'Last 5 minutes',
    '15m': 'Last 15 minutes',
    '1h': 'Last hour',
    '24h': 'Last day',
    custom: 'From … until …',
  },
  from: 'From',
  until: 'Until',
  amount: 'Lines of each log to begin with',
  amounts: { '1000': '1,000 lines', '10000': '10,000 lines', '100000': '100,000 lines' },
  search: 'Search the log',
  searchHint: 'Search  /',
  regex: 'Regular expression',
  regexShort: '.*',
  only: 'Only matches',
  next: 'Next match',
  previous: 'Previous match',
  count: (at: number, all: number) => (all === 0 ? 'no match' : at === 0 ? `${all} matches` : `${at} of ${all}`),
  badPattern: 'Not a regular expression',
  follow: 'Follow',
  followTitle: 'Stay at the newest line (f)',
  wrap: 'Wrap',
  more: 'Save',
  copy: 'Copy the shown lines',
  saveText: 'Download as text',
  saveNdjson: 'Download as NDJSON',
  newLines: (count: number) => (count === 1 ? '1 new line' : `${count} new lines`),
  shown: (shown: number, all: number) =>
    shown === all
      ? `${all.toLocaleString('en')} lines`
      : `${shown.toLocaleString('en')} of ${all.toLocaleString('en')} lines`,
  loading: 'Reading the log',
  empty: 'Nothing was written yet. New lines appear here by themselves.',
  noMatch: 'No line passes the filter',
  none: 'Choose a log above',
  errorStream: 'error stream',
  states: {
    connecting: 'Connecting',
    live: 'Live',
    ended: 'Read to its end',
    waiting: 'Connection lost, trying again',
    failed: 'Cannot be read',
  },
  same: 'Same as',
} as const
