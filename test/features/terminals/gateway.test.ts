import { expect, test } from 'vitest'
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import type { Principal } from '../../../src/core/principal.ts'
import { createGatewayOf, type Told } from '../../helpers/tty-gateway.ts'

const OPERATOR = { id: 'ada', roles: ['operator'] } as unknown as Principal

const refusing = (error: unknown): RuntimeAdapter =>
  ({ id: 'none', openTty: () => Promise.reject(error) }) as unknown as RuntimeAdapter

const NO_PTY = new PloinkyError('CAPABILITY_UNSUPPORTED', 'This host cannot give a terminal', {
  hint: 'Install the optional package "@lydell/node-pty"',
})

test('a runtime that can give no terminal is told with its code, its hint, and an end that is not tried again', async () => {
  const gateway = await createGatewayOf(refusing(NO_PTY))
  const expected: Told = {
    message: { type: 'error', code: 'CAPABILITY_UNSUPPORTED', message: NO_PTY.message, hint: NO_PTY.hint ?? null },
    close: { code: 4409, reason: 'CAPABILITY_UNSUPPORTED' },
  }
  expect(await gateway.open(OPERATOR)).toEqual(expected)
  // Nothing of it is left: not among the open ones, not in the file that the next router reads.
  expect(gateway.manager.sessions()).toEqual([])
  expect(await gateway.leftovers()).toBe('[]')
  await gateway.close()
})

test('an error that nobody foresaw is told without what is in it', async () => {
  const gateway = await createGatewayOf(refusing(new Error('/root/secret')))
  const { message, close } = await gateway.open(OPERATOR)
  expect(message).toMatchObject({ code: 'INTERNAL', message: 'Internal error; the router log has the details' })
  expect(close.code).toBe(4409)
  await gateway.close()
})

test('who may only look at agents opens no terminal', async () => {
  const gateway = await createGatewayOf(refusing(NO_PTY))
  expect(await gateway.open({ id: 'eve', roles: ['viewer'] } as unknown as Principal)).toMatchObject({
    message: { code: 'DENIED' },
    close: { code: 4403 },
  })
  expect(await gateway.open(null)).toMatchObject({ message: { code: 'UNAUTHENTICATED' }, close: { code: 4401 } })
  await gateway.close()
})
