/** The least that a server in Node can be. */
import { createServer } from 'node:http'

createServer((_request, answer) => answer.end('{"status":"ok"}')).listen(Number(process.env.PORT), '127.0.0.1')
