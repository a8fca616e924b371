/** Command lines about networks; see `oci.ts`. */
import { LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { JoinedNetwork } from '../supported.ts'
import { aliasFlags, labelFlags } from './oci.ts'

/** Every network after the first, joined by a container that was created and does not run yet. */
export const connectArgs = (attachment: JoinedNetwork, name: string): readonly string[] => [
  'network',
  'connect',
  ...aliasFlags('', attachment),
  '--',
  attachment.engineName,
  name,
]

/** A network with our label, so that it is known as ours and removed. */
export const createNetworkArgs = (workspace: string, name: string): readonly string[] => [
  'network',
  'create',
  ...labelFlags({ [LABEL_WORKSPACE]: workspace }),
  '--',
  name,
]

export const inspectNetworkArgs = (name: string): readonly string[] => ['network', 'inspect', '--', name]

export const removeNetworkArgs = (name: string): readonly string[] => ['network', 'rm', '--', name]

/** Names, one a line. */
export const listNetworksArgs = (workspace: string): readonly string[] => [
  'network',
  'ls',
  '--format',
  '{{.Name}}',
  '--filter',
  `label=${LABEL_WORKSPACE}=${workspace}`,
]

/** Whoever uses a network, also while it is stopped. */
export const networkUsersArgs = (name: string): readonly string[] => [
  'ps',
  '--all',
  '--quiet',
  '--no-trunc',
  '--filter',
  `network=${name}`,
]
