/** Loaded with the first search. */
export { SearchAddon } from '@xterm/addon-search'
