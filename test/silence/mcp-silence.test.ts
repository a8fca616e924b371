/**
 * Streams on which an agent says nothing for longer than any usual timeout (the one of Node's own fetch cuts at 300 s).
 * It waits for most of its time and runs beside everything else.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Gateway, startGateway, type Talk } from '../helpers/mcp-gateway.ts'

/** PLOINKY_TEST_SILENCE_SECONDS=50 for a first impression. */
const SILENCE_SECONDS = Number(process.env['PLOINKY_TEST_SILENCE_SECONDS'] ?? 330)
/** The router's own comment comes every 20 s of silence, and once a second it looks whether it is time. */
const COMMENTS = Math.floor(SILENCE_SECONDS / 23)

let gateway: Gateway
const talks: Talk[] = []
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(async () => {
  for (const { socket } of talks) socket.destroy()
  await gateway?.[Symbol.asyncDispose]()
})

it(`${SILENCE_SECONDS} s without a byte from the agent`, async () => {
  const headers = ['Accept: application/json, text/event-stream']
  const cases = [
    ['POST', 'hold'],
    ['GET', 'hold'],
    // An answer that has not begun: nothing can be sent meanwhile.
    ['POST', 'wait'],
  ] as const
  const streams = cases.map(([method, deed]) => {
    const nonce = `${method}-${deed}`
    const body = method === 'POST' ? '{}' : undefined
    const talk = gateway.open(gateway.text(`${method} ${gateway.target(deed, { nonce })}`, headers, body))
    talks.push(talk)
    return { nonce, deed, talk }
  })
  for (const { nonce, deed, talk } of streams) if (deed === 'hold') await talk.until(`"nonce":"${nonce}"`)
  await new Promise((resolve) => setTimeout(resolve, SILENCE_SECONDS * 1000))
  for (const { nonce, deed, talk } of streams) {
    expect([nonce, talk.ended]).toEqual([nonce, ''])
    const comments = talk.received.match(/^:$/gm)?.length ?? 0
    if (deed === 'hold') expect(comments, nonce).toBeGreaterThanOrEqual(COMMENTS)
    else expect(talk.received).toBe('')
  }
  // And they still carry what comes at last.
  for (const { nonce, deed, talk } of streams) {
    await gateway.workspace.fetch(gateway.target('release', { nonce }))
    await talk.until(`"released":"${nonce}"`)
    if (deed === 'hold') await talk.until('0\r\n\r\n')
  }
})
