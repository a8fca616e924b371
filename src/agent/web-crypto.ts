import { webcrypto } from 'node:crypto'

// Node 18 has Web Crypto but not the global that the MCP library uses; later versions ignore this.
if (!('crypto' in globalThis)) Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true })
