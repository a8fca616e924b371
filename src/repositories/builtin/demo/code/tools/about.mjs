import { arch, platform, release, uptime } from 'node:os'

console.log(
  JSON.stringify(
    {
      agent: process.env.PLOINKY_AGENT_NAME ?? process.env.AGENT_NAME ?? 'demo',
      node: process.version,
      platform: `${platform()} ${release()} ${arch()}`,
      uptimeSeconds: Math.round(uptime()),
    },
    null,
    2,
  ),
)
