import { parseDecisionEnvelope, parseStored } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { importDecisions } from '#collector/admin/decisions/import-decisions.js'

const GOOD = { decisionId: 'd-1', slotId: 'hero', anonymousId: 'a', timestamp: '2026-01-02T00:00:00Z' }

/** As JSON, which can write numbers that JavaScript has no finite value for. */
const HOSTILE = [
  '{"candidates":[{"contentId":"c","score":1e999,"probability":1}]}',
  '{"candidates":[{"contentId":"c","score":-1e999,"probability":1}]}',
  '{"candidates":[{"contentId":"c","score":1,"probability":1e999}]}',
  '{"contentIds":["c"],"propensities":[1e999]}',
  '{"position":1e999}',
  '{"position":65001}',
  '{"position":9007199254740991}',
  '{"position":-1}',
]

describe('a decision of another system', () => {
  it.each(HOSTILE)('is rejected by itself: %s', fields => {
    const hostile = { ...GOOD, ...JSON.parse(fields) }
    const { imported, rejected, envelopes } = importDecisions([hostile, GOOD], 'shop', Date.now())
    expect(rejected).toEqual([expect.objectContaining({ index: 0, decisionId: 'd-1' })])
    expect(imported).toBe(1)
    const texts = envelopes.map(envelope => JSON.stringify(envelope))
    expect(texts.map(text => parseStored(text, parseDecisionEnvelope).ok)).toEqual([true])
  })
})
