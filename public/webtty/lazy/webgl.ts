/** Loaded for who asks to draw on the graphics card. */
export { WebglAddon } from '@xterm/addon-webgl'
