/** The everything server as a program: on `PORT` over HTTP, with `--stdio` on its standard streams. */
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createEverythingHttp } from './http.ts'
import { createEverythingServer } from './server.ts'

process.once('SIGTERM', () => process.exit(0))
if (process.argv.includes('--stdio')) {
  serveStdio(() =>
    createEverythingServer({
      tools: (server) => server.sendToolListChanged(),
      prompts: (server) => server.sendPromptListChanged(),
    }),
  )
} else {
  createEverythingHttp().listen(Number(process.env['PORT'] ?? 7000), process.env['PLOINKY_BIND'])
}
