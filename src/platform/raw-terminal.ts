/** The terminal of this process handed to a program elsewhere: keys as bytes, output as bytes, and its size. */
import type { RawTerminal, RawTerminalListener } from './index.ts'

export function openRawTerminal(listener: RawTerminalListener): RawTerminal {
  const { stdin, stdout } = process
  const onData = (data: Buffer): void => listener.input(data)
  const onResize = (): void => listener.resized()
  stdin.setRawMode(true)
  stdin.on('data', onData)
  stdin.resume()
  stdout.on('resize', onResize)
  return {
    get size() {
      // Some terminals say that they are 0 x 0.
      return { cols: stdout.columns || 80, rows: stdout.rows || 24 }
    },
    write: (bytes, done) => void stdout.write(bytes, () => done()),
    close() {
      stdin.off('data', onData)
      stdout.off('resize', onResize)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
