/**
 * Programs ask their terminal what it is and where its cursor stands. The router's own terminal answers, once. Each page
 * that answered too would type its answer into the program, so here all of these are heard and left alone.
 */
import type { Terminal } from '@xterm/xterm'

export function swallowQueries({ parser }: Terminal): void {
  const heard = (): boolean => true
  // Device attributes (DA1, DA2, DA3), status and cursor reports (DSR), modes (DECRQM), version, keyboard protocol.
  for (const id of [
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { final: 'x' },
    // Colours and sizes of pictures (XTSMGRAPHICS).
    { prefix: '?', final: 'S' },
    { prefix: '>', final: 'q' },
    { prefix: '?', final: 'u' },
    // Size, place and title of the window: the last would type a title that the program chose.
    { final: 't' },
  ]) {
    parser.registerCsiHandler(id, heard)
  }
  // Settings (DECRQSS) and capabilities (XTGETTCAP).
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, heard)
  parser.registerDcsHandler({ intermediates: '+', final: 'q' }, heard)
  // Colours: setting one is fine, asking is not for us to answer.
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => data.includes('?'))
  parser.registerEscHandler({ final: 'Z' }, heard)
}
