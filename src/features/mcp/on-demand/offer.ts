/**
 * What an agent offers, as it last said itself: answers that are given while it is stopped. They are asked for when it runs,
 * in both eras of the protocol, and count for the manifest and configuration under which they were given.
 */
import * as z from 'zod/mini'
import type { DocumentSpec, Store } from '../../../core/store.ts'
import { stateInvalid } from '../../../core/store.ts'
import type { Ask } from '../ask.ts'
import { type Results, takeSessions, takeStateless } from '../questions.ts'

/** What is larger is not kept: then the agent is started for its lists too. */
const MAX_BYTES = 4 * 1024 * 1024

export type Era = 'stateless' | 'sessions'

export interface Offer {
  readonly stamp: string
  readonly stateless: Results
  readonly sessions: Results
}

const results = z.record(z.string(), z.record(z.string(), z.unknown()))
const schema = z.strictObject({ stamp: z.string(), stateless: results, sessions: results })
const EMPTY: Offer = { stamp: '', stateless: {}, sessions: {} }

/** `.ploinky/mcp_offer_<agent>.json` */
const document = (agent: string): DocumentSpec<Offer> => ({
  name: `mcp_offer_${agent}.json`,
  version: 1,
  empty: () => EMPTY,
  parse(value) {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw stateInvalid(`mcp_offer_${agent}.json`, z.prettifyError(parsed.error).slice(0, 300))
  },
})

export interface OfferOptions {
  readonly store: Store
  readonly version: string
}

export function createOffers({ store, version }: OfferOptions) {
  const known = new Map<string, Offer>()

  async function read(agent: string): Promise<Offer> {
    const held = known.get(agent)
    if (held !== undefined) return held
    const offer = await store.read(document(agent))
    known.set(agent, offer)
    return offer
  }

  return {
    /** The last good result of a list, of `server/discover` or `initialize`; null when it must be asked. */
    async find(
      agent: string,
      stamp: string,
      what: { era: Era; method: string },
    ): Promise<Record<string, unknown> | null> {
      const offer = await read(agent)
      return offer.stamp === stamp ? (offer[what.era][what.method] ?? null) : null
    },
    /** Asks a running agent for all of it. */
    async take(agent: string, stamp: string, asked: Ask): Promise<void> {
      const [stateless, sessions] = await Promise.all([
        takeStateless(asked, version).catch(() => ({})),
        takeSessions(asked, version).catch(() => ({})),
      ])
      const offer = { stamp, stateless, sessions }
      if (JSON.stringify(offer).length > MAX_BYTES) return
      known.set(agent, await store.update(document(agent), () => offer))
    },
  }
}
