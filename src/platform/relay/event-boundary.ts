const LF = 10
const CR = 13

/** Follows the bytes of an event stream to know when it stands between two events. */
export class EventBoundary {
  private readonly tail: number[] = []
  private empty = true

  push(piece: Buffer): void {
    if (piece.length === 0) return
    this.empty = false
    for (let i = Math.max(0, piece.length - 3); i < piece.length; i++) this.tail.push(piece[i] ?? 0)
    if (this.tail.length > 3) this.tail.splice(0, this.tail.length - 3)
  }

  /** True before the first byte and after a line end that follows a line end (LF, CR or CRLF each). */
  get between(): boolean {
    if (this.empty) return true
    const last = this.tail.length - 1
    if (!isLineEnd(this.tail[last])) return false
    const pair = this.tail[last] === LF && this.tail[last - 1] === CR
    return isLineEnd(this.tail[last - (pair ? 2 : 1)])
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR
}
