/** Blobs: files that people and agents hand to the router and fetch again by id. */
export { createBlobRoutes } from './routes.ts'
export type { BlobRoutesOptions } from './routes.ts'
export type { BlobList, BlobMeta, BlobUpload } from './schema.ts'
export { createBlobService } from './service.ts'
export type { BlobService, BlobServiceOptions } from './service.ts'
