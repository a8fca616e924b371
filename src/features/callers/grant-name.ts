/** How grants name what an agent offers: tools by their names, `prompt:<name>`, `resource:<uri>`. */
export function grantName(kind: 'tool' | 'prompt' | 'resource', name: string): string {
  if (kind !== 'tool') return `${kind}:${name}`
  // A tool that is named like a prompt is none.
  return /^(?:prompt|resource):/.test(name) ? `tool:${name}` : name
}
