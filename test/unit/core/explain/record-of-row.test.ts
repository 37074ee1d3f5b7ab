import { readFileSync } from 'node:fs'
import { explainDecision } from '@slotstream/core'
import type { DecisionRecord } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { type RecordRow, recordOfRow } from '#core/explain/record-of-row.js'

const RECORDS = ['0.1.0', '0.1.0-form-3'].flatMap(release => {
  const text = readFileSync(new URL(`../decide/records-${release}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { what: string; record: DecisionRecord }[]).map(
    ({ what, record }) => [what, record] as const,
  )
})
const HEAD = {
  decisionId: '0197d0f4-6f1a-7000-8000-000000000000',
  timestamp: '2026-01-02T03:04:05.006Z',
  slotId: 'hero',
  anonymousId: 'v',
  position: 1,
  policy: 'default',
  policyVersion: '1',
  holdout: false,
  attribution: { rule: 'lastClick', windowHours: 24 },
} as const

function rowOf(record: DecisionRecord): RecordRow {
  const envelope = { siteId: 'shop', visitorId: 'v', receivedAt: HEAD.timestamp, decisions: [record] }
  const message = {
    seq: 9,
    subject: 'decisions.0',
    text: JSON.stringify(envelope),
    storedAt: HEAD.timestamp,
    deleted: false,
  }
  const [row] = decisionRows(message, 9)
  const stored = JSON.parse(row!.line) as RecordRow
  return { ...stored, timestamp: stored.timestamp.replace('T', ' ').replace('Z', '') }
}

it.each(RECORDS)('a record of 0.1.0, %s, is the same out of its row', (_what, record) => {
  const whole = { ...HEAD, ...record } as DecisionRecord
  expect(recordOfRow(rowOf(whole))).toEqual(whole)
})

it('all that a record may have is there again', () => {
  const [, record] = RECORDS.find(([what]) => what === 'campaigns')!
  const whole: DecisionRecord = {
    ...HEAD,
    ...record,
    userId: 'anna',
    sessionId: 's',
    pageViewId: 'p',
    campaigns: ['news'],
    arms: [1, 0],
    experiment: 'calm',
    arm: 'b',
    armShares: [0.5, 0.5],
    personId: 'user:anna',
    latencyMs: 1.5,
    model: { asOf: 1, views: 2, outcomes: 3 },
    itemsAsOf: 4,
    known: { tokens: [1, -2], segments: ['a.b', '2026-01-01'], items: ['tent', '7'] },
  }
  expect(recordOfRow(rowOf(whole))).toEqual(whole)
  const held = {
    ...whole,
    outcome: 'holdout' as const,
    holdout: true,
    contentIds: [],
    propensities: [],
    ghost: whole.contentIds,
  }
  expect(recordOfRow(rowOf(held))).toEqual(held)
  expect(explainDecision(recordOfRow(rowOf(held)))).toEqual(explainDecision(held))
})

it('what an imported log has in the places of a record is not taken for one', () => {
  const features = {
    draw: '{"contents":"e999999999","stages":[{"of":1e9,"drawn":[]}]}',
    missed: '[["a",{}],"b"]',
    arms: 'x',
    known: '{"tokens":[0.5],"items":"x"}',
  }
  const row = { ...rowOf({ ...HEAD, ...RECORDS[0]![1] } as DecisionRecord), features }
  const record = recordOfRow(row)
  for (const field of ['draw', 'recordVersion', 'arms', 'ghost', 'known']) expect(record).not.toHaveProperty(field)
  expect(
    recordOfRow({ ...row, features: { missed: 'no JSON', campaigns: [1], latencyMs: 'x', model: 1 } }).features,
  ).toEqual({})
})
