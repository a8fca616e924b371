/** Hashes and randomness over node:crypto. */
import type { Hashing } from './index.ts'

// Asked for on use: reading the router's state needs none of it, and it takes a fifth of an empty program's time to load.
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')

export const hashing: Hashing = {
  sha256Hex: (data) => crypto().createHash('sha256').update(data).digest('hex'),
  createSha256() {
    const hash = crypto().createHash('sha256')
    return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest('hex') }
  },
  hmacSha256: (key, data) => crypto().createHmac('sha256', key).update(data).digest('base64url'),
  equal(a, b) {
    // Hashing first gives equal lengths, which timingSafeEqual needs, without telling the length of the secret.
    const digest = (text: string) => crypto().createHash('sha256').update(text).digest()
    return crypto().timingSafeEqual(digest(a), digest(b))
  },
  randomToken: (bytes) => crypto().randomBytes(bytes).toString('base64url'),
}
