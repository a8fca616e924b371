import { describe, test } from 'vitest'
import { lifecycleCases } from './cases-lifecycle.ts'
import { requestCases } from './cases-request.ts'
import { responseCases } from './cases-response.ts'
import { upgradeCases } from './cases-upgrade.ts'
import { Rig } from './rig.ts'
import type { Case } from './rig.ts'

function suite(name: string, cases: readonly Case[]): void {
  describe(name, () => {
    for (const { name: title, run } of cases) {
      test(title, async () => {
        const rig = new Rig()
        try {
          await run(rig)
        } finally {
          await rig.close()
        }
      })
    }
  })
}

suite('requests', requestCases)
suite('responses', responseCases)
suite('lifecycle', lifecycleCases)
suite('upgrades', upgradeCases)
