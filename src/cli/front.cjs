#!/usr/bin/env node
// What a shell starts: hands over to the program. CommonJS, since the loader of ES modules alone costs Node a third of its
// start; help and version do without it, in a bundle of their own that opens no workspace.
'use strict'

if (/^(?:help|--help|-h|version|--version|-V)$/.test(process.argv[2])) require('./describe.cjs')
else {
  // Stands when the program never comes to its end, as for any ES module; otherwise the program says how it ended.
  process.exitCode = 13
  void import('./bin.js')
}
