// Vitest reporter: what a layer's run came to, as JSON for test/run.mjs. Counts what a test list alone would hide:
// files that cannot be loaded, hooks that fail, errors outside of any test.
import { writeFileSync } from 'node:fs'

export default class LayerReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly { message?: string }[]} errors
   */
  onTestRunEnd(modules, errors) {
    const file = process.env['PLOINKY_TEST_REPORT']
    if (file === undefined) return
    const report = { passed: 0, failures: [], skips: [] }
    for (const module of modules) addModule(report, module)
    for (const error of errors) report.failures.push(`outside of any test: ${firstLine(error)}`)
    writeFileSync(file, JSON.stringify(report))
  }
}

function addModule(report, module) {
  const place = (entity) => `${module.relativeModuleId} > ${entity.fullName}`
  for (const error of module.errors()) report.failures.push(`${module.relativeModuleId}: ${firstLine(error)}`)
  for (const suite of module.children.allSuites())
    for (const error of suite.errors()) report.failures.push(`${place(suite)}: ${firstLine(error)}`)
  for (const test of module.children.allTests()) {
    const result = test.result()
    if (result.state === 'passed') report.passed++
    else if (result.state === 'failed') report.failures.push(`${place(test)}: ${firstLine(result.errors[0])}`)
    else if (result.state === 'skipped') report.skips.push(`${place(test)}${result.note ? `: ${result.note}` : ''}`)
    else report.failures.push(`${place(test)}: did not run to its end`)
  }
}

const firstLine = (error) =>
  String(error?.message ?? error)
    .split('\n')[0]
    ?.slice(0, 300) ?? ''
