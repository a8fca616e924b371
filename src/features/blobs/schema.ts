/** What a blob is, on disk and on the wire. */
import { z } from 'zod'

/** 24 random bytes in hex: nobody guesses one, and it is a safe file name everywhere. */
export const BLOB_ID = /^[0-9a-f]{48}$/

export const blobMetaSchema = z.object({
  id: z.string().regex(BLOB_ID),
  filename: z.string().min(1).max(512),
  mime: z.string().min(3).max(255),
  /** Bytes. */
  size: z.int().min(0),
  /** Hex, of the whole content. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601. */
  createdAt: z.iso.datetime(),
})
export type BlobMeta = z.infer<typeof blobMetaSchema>

export interface BlobUpload {
  readonly body: AsyncIterable<Uint8Array>
  /** `Content-Length` where the client declared one. */
  readonly declaredSize?: number
  readonly filename?: string
  readonly mime?: string
}

export interface BlobList {
  /** Newest first. */
  readonly blobs: BlobMeta[]
  /** Ids whose description cannot be read; their bytes are kept. */
  readonly unreadable: string[]
}
