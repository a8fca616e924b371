/** What a blob is, on disk and on the wire. */
import * as z from 'zod/mini'

/** 24 random bytes in hex: nobody guesses one, and it is a safe file name everywhere. */
export const BLOB_ID = /^[0-9a-f]{48}$/

export const blobMetaSchema = z.object({
  id: z.string().check(z.regex(BLOB_ID)),
  filename: z.string().check(z.minLength(1), z.maxLength(512)),
  mime: z.string().check(z.minLength(3), z.maxLength(255)),
  /** Bytes. */
  size: z.int().check(z.gte(0)),
  /** Hex, of the whole content. */
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
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
