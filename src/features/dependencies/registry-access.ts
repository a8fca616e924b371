/** How this machine reaches package registries: what npm in a container needs to do so too, behind a proxy for example. */
import { Secret } from '../../core/secret.ts'
import type { JobSpec } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'

/** Proxies as curl and npm read them, and npm's own registry. Addresses may hold passwords. */
const PASSED = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  ...['npm_config_registry', 'NPM_CONFIG_REGISTRY'],
]
const CERTIFICATES = '/ploinky-certificates.pem'

export async function registryAccess({ env, fs }: Platform): Promise<Pick<JobSpec, 'env' | 'mounts'>> {
  const passed = PASSED.flatMap((name) => {
    const value = env[name]
    return value === undefined || value === '' ? [] : [[name, new Secret(value)] as const]
  })
  const named = env['NODE_EXTRA_CA_CERTS']
  const file = named === undefined || named === '' ? null : await fs.realPath(named)
  const isThere = file !== null && (await fs.stat(file))?.kind === 'file'
  return {
    env: { ...Object.fromEntries(passed), ...(isThere ? { NODE_EXTRA_CA_CERTS: CERTIFICATES } : {}) },
    mounts: isThere ? [{ source: file, target: CERTIFICATES, readOnly: true }] : [],
  }
}
