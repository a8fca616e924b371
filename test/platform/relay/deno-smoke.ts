/**
 * Runs the conformance cases on the runtime at hand without a test runner: `npx deno run -A test/platform/relay/deno-smoke.ts`
 * (also `npx tsx ...`). Arguments select cases by a part of their name.
 */
import process from 'node:process'
import { lifecycleCases } from './cases-lifecycle.ts'
import { requestCases } from './cases-request.ts'
import { responseCases } from './cases-response.ts'
import { upgradeCases } from './cases-upgrade.ts'
import { Rig } from './rig.ts'

const wanted = process.argv.slice(2)
const cases = [...requestCases, ...responseCases, ...lifecycleCases, ...upgradeCases].filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
)
let failed = 0
for (const { name, run } of cases) {
  const rig = new Rig()
  try {
    try {
      await run(rig)
    } finally {
      await rig.close()
    }
  } catch (error) {
    failed++
    console.error(`not ok - ${name}\n  ${error instanceof Error ? error.message : String(error)}`)
  }
}
console.log(`${cases.length - failed} of ${cases.length} relay cases pass`)
process.exit(failed === 0 && cases.length > 0 ? 0 : 1)
