/** The terminal itself, in a file of its own: the page shows and connects while it is read. */
export { FitAddon } from '@xterm/addon-fit'
export { Unicode11Addon } from '@xterm/addon-unicode11'
export { WebLinksAddon } from '@xterm/addon-web-links'
export { Terminal } from '@xterm/xterm'
