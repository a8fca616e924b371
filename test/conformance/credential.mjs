// Loaded into the suite's process, which cannot send headers of its own choice: signs all its requests in.
import { subscribe } from 'node:diagnostics_channel'

const value = `Bearer ${process.env['PLOINKY_TEST_TOKEN']}`

// `fetch`, and the undici package.
subscribe('undici:request:create', ({ request }) => request.addHeader('authorization', value))
subscribe('http.client.request.created', ({ request }) => request.setHeader('authorization', value))
