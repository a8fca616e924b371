/** How much of a blink the smallest commands take. */
import { alternate, compare, ran } from '../measure.mjs'

/** @param {import('../workspace.mjs').Context} context */
export async function cli({ node, bin, env, quick }) {
  const sample =
    (...args) =>
    () =>
      ran([node, ...args], { env })
  const samples = await alternate(
    { empty: sample('-e', '0'), version: sample(bin, '--version'), help: sample(bin, 'help') },
    { rounds: quick ? 7 : 21 },
  )
  const row = (name, ours) => compare({ name, baseline: 'node -e 0', bound: 1.5 }, ours, samples.empty)
  return [row('ploinky --version', samples.version), row('ploinky help', samples.help)]
}
