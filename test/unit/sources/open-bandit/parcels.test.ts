import { MAX_BATCH_BYTES } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { anonymousIdOf, type Impression, toDecision } from '#sources/open-bandit/open-bandit.js'
import { packParcels, ROWS_PER_PARCEL } from '#sources/open-bandit/parcels.js'
import { collect } from './collect.js'
import { anImpression, SOURCE } from './impressions.js'

const ROWS = Array.from({ length: 103 }, (_, index) =>
  anImpression({ index, clicked: index % 10 === 0, userFeatures: { user_feature_0: `group ${index % 9}` } }),
)

async function* asLog(rows: Impression[]): AsyncGenerator<Impression> {
  yield* rows
}

const pack = (rows = ROWS, size = 10) => collect(packParcels(asLog(rows), SOURCE, size))

describe('packParcels', () => {
  it('sends every row once, its decision beside its messages', async () => {
    const parcels = await pack()
    const decisions = parcels.flatMap(parcel => parcel.decisions.map(decision => decision.decisionId))
    const messages = parcels.flatMap(parcel => parcel.batch.batch)
    expect(new Set(decisions).size).toBe(103)
    expect(decisions).toHaveLength(103)
    expect(messages.filter(message => message.event === 'Slot Viewed')).toHaveLength(103)
    expect(messages.filter(message => message.event === 'Slot Clicked')).toHaveLength(11)
    expect(parcels.reduce((sum, parcel) => sum + parcel.rows, 0)).toBe(103)
    for (const { decisions, batch } of parcels)
      expect(new Set(batch.batch.map(message => message.properties?.decisionId))).toEqual(
        new Set(decisions.map(decision => decision.decisionId)),
      )
  })

  it('makes the same parcels with the same ids each time, without sentAt', async () => {
    const parcels = await pack()
    expect(await pack()).toEqual(parcels)
    expect(new Set(parcels.map(parcel => parcel.batch.batchId)).size).toBe(parcels.length)
    for (const { batch } of parcels) expect(batch).not.toHaveProperty('sentAt')
  })

  it('gives another batch id to another batch', async () => {
    const first = async (size: number) => (await pack(ROWS, size))[0]!.batch.batchId
    expect(await first(10)).not.toBe(await first(9))
  })

  it("keeps one visitor's rows in one lane and in order", async () => {
    const lanes = new Map<string, number>()
    const sent = new Map<string, string[]>()
    for (const { lane, decisions } of await pack())
      for (const { anonymousId, decisionId } of decisions) {
        expect(lanes.get(anonymousId) ?? lane).toBe(lane)
        lanes.set(anonymousId, lane)
        sent.set(anonymousId, [...(sent.get(anonymousId) ?? []), decisionId])
      }
    for (const [anonymousId, ids] of sent) {
      const rows = ROWS.filter(row => anonymousIdOf(row) === anonymousId)
      expect(ids).toEqual(rows.map(row => toDecision(row, SOURCE).decisionId))
    }
    expect(new Set(lanes.values()).size).toBeGreaterThan(1)
  })

  it('stays well below the largest body with rows as large as those of the real log', async () => {
    const hash = 'cef3390ed299c09874189c387777674a'
    const userFeatures = Object.fromEntries([0, 1, 2, 3].map(n => [`user_feature_${n}`, hash]))
    const affinities = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`item-${n}`, 1]))
    const rows = Array.from({ length: ROWS_PER_PARCEL }, (_, index) =>
      anImpression({ index, clicked: true, userFeatures, affinities }),
    )
    const [parcel] = await pack(rows, ROWS_PER_PARCEL)
    expect(JSON.stringify(parcel!.batch).length).toBeLessThan(MAX_BATCH_BYTES / 2)
    expect(JSON.stringify(parcel!.decisions).length).toBeLessThan(MAX_BATCH_BYTES / 2)
  })
})
