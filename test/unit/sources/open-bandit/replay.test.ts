import { fileURLToPath } from 'node:url'
import type { Site } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import type { Client } from '#sources/client.js'
import { replayOpenBandit } from '#sources/open-bandit/replay.js'

const FIXTURE = fileURLToPath(new URL('../../../fixtures/open-bandit', import.meta.url))

/** A collector in memory that keeps what it was sent. */
function createTwin({ sites = [], rejects = false }: { sites?: Site[]; rejects?: boolean } = {}) {
  const decisions = new Set<string>()
  const messages = new Set<string>()
  const put: Site[] = []
  let running = 0
  let most = 0
  const client: Client = {
    listSites: async () => ({ sites: [...sites, ...put] }),
    putSite: async site => void put.push(site),
    putCatalog: async () => undefined,
    async importDecisions(_siteId, list) {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 1))
      for (const { decisionId } of list) decisions.add(decisionId)
      return { imported: list.length, rejected: rejects ? [{ index: 0, reason: 'it is Monday' }] : [] }
    },
    async sendBatch({ batch }) {
      await new Promise(resolve => setTimeout(resolve, 1))
      running--
      for (const { messageId, properties } of batch) {
        expect(decisions.has(String(properties?.decisionId))).toBe(true)
        messages.add(messageId)
      }
      return { success: true, accepted: batch.length, rejected: [] }
    },
    replayRejected: () => Promise.reject(new Error('a log has no rejected messages')),
  }
  return { client, decisions, messages, put, most: () => most }
}

const options = (client: Client) => ({
  path: FIXTURE,
  siteId: 'open-bandit',
  writeKey: 'open-bandit',
  policy: 'random',
  client,
  output: { write: () => undefined },
})

describe('replayOpenBandit', () => {
  it('sends every row, decisions before their events, in lanes side by side; again it sends the same', async () => {
    const twin = createTwin()
    const summary = await replayOpenBandit(options(twin.client))
    expect(summary.impressions).toBe(600)
    expect(twin.decisions.size).toBe(600)
    expect(twin.messages.size).toBe(600 + summary.clicks)
    expect(twin.most()).toBeGreaterThan(1)
    await replayOpenBandit(options(twin.client))
    expect(twin.decisions.size).toBe(600)
    expect(twin.messages.size).toBe(600 + summary.clicks)
  })

  it('makes the site, which no page may use, but leaves one that is there as it is', async () => {
    const fresh = createTwin()
    await replayOpenBandit(options(fresh.client))
    expect(fresh.put).toMatchObject([{ siteId: 'open-bandit', writeKeys: ['open-bandit'], allowedOrigins: [] }])
    const site = { siteId: 'open-bandit', name: '', allowedOrigins: ['*'], debug: true }
    const known = createTwin({ sites: [{ ...site, writeKeys: ['other', 'open-bandit'] }] })
    await replayOpenBandit(options(known.client))
    expect(known.put).toEqual([])
    const foreign = createTwin({ sites: [{ ...site, writeKeys: ['other'] }] })
    await expect(replayOpenBandit(options(foreign.client))).rejects.toThrow('has no write key "open-bandit"')
  })

  it('fails when the collector rejects something, with the reason', async () => {
    const { client } = createTwin({ rejects: true })
    await expect(replayOpenBandit(options(client))).rejects.toThrow(
      'rejected 1 decisions, the first because: it is Monday',
    )
  })
})
