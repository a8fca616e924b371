/** Reads the progress that `pull` prints when no terminal is attached: lines per layer. */
import type { ImageProgress } from '../adapter.ts'

/** docker: `<12 hex>: <status>`. */
const LAYER = /^([0-9a-f]{12}): (.+)$/
const FINISHED = /^(?:Pull complete|Already exists)/
/** A layer counts as half done when it has come over the network. */
const ARRIVED = /^(?:Download complete|Verifying Checksum|Extracting)/
/** podman: `Copying blob sha256:<hex>` or `Copying blob <12 hex>`, with or without an end. */
const BLOB = /^Copying (blob|config) (?:sha256:)?([0-9a-f]{10,64})\b(.*)$/
const BLOB_END = /(?:done|skipped: already exists)/
/** A bare id is podman's result; digests and addresses are docker's last words. */
const SILENT = /^(?:[0-9a-f]{64}|Digest: .*|time=".*)$/
const MAX_MESSAGE = 200

export interface PullProgress {
  /** What a line says; null for a line that says nothing new. */
  read(line: string): ImageProgress | null
}

export function createPullProgress(reference: string): PullProgress {
  const layers = new Map<string, number>()
  let fraction: number | null = null
  const fractionNow = (): number | null => {
    if (layers.size === 0) return fraction
    const sum = [...layers.values()].reduce((total, part) => total + part, 0)
    // Layers become known one after another: progress may pause, but never goes back.
    fraction = Math.max(fraction ?? 0, Math.min(0.99, sum / layers.size))
    return fraction
  }
  return {
    read(raw) {
      const line = raw.trim().slice(0, MAX_MESSAGE)
      if (line === '' || SILENT.test(line)) return null
      const layer = LAYER.exec(line)
      if (layer !== null) {
        const [, id = '', status = ''] = layer
        const before = layers.get(id)
        const part = FINISHED.test(status) ? 1 : ARRIVED.test(status) ? 0.5 : 0
        if (before !== undefined && part <= before) return null
        layers.set(id, part)
        return { message: `${reference}: ${line}`, fraction: fractionNow(), done: false }
      }
      const blob = BLOB.exec(line)
      if (blob !== null && blob[1] === 'blob' && BLOB_END.test(blob[3] ?? '')) {
        layers.set(blob[2] ?? '', 1)
        return { message: `${reference}: ${line}`, fraction: null, done: false }
      }
      return { message: `${reference}: ${line}`, fraction: fractionNow(), done: false }
    },
  }
}
