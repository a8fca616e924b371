/** Hashes and randomness over node:crypto. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Hashing } from './index.ts'

export const hashing: Hashing = {
  sha256Hex: (data) => createHash('sha256').update(data).digest('hex'),
  createSha256() {
    const hash = createHash('sha256')
    return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest('hex') }
  },
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest('base64url'),
  equal(a, b) {
    // Hashing first gives equal lengths, which timingSafeEqual needs, without telling the length of the secret.
    const digest = (text: string) => createHash('sha256').update(text).digest()
    return timingSafeEqual(digest(a), digest(b))
  },
  randomToken: (bytes) => randomBytes(bytes).toString('base64url'),
}
