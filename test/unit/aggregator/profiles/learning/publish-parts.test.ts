import { foldEnvelope, nothingLearned } from '@slotstream/core'
import { type ContentAmounts, type LearningEnvelope, parseLearningEnvelope } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createPublishLearning } from '#aggregator/profiles/learning/publish-learning.js'

const NOW = Date.UTC(2026, 10, 2)

const LEARNING = {
  ...{ siteId: 'shop', visitorId: 'v', anonymousId: 'v', receivedAt: '2026-11-01T00:00:00.000Z', seq: 7, records: [] },
}

function contentsOf(count: number): ContentAmounts[] {
  return Array.from({ length: count }, (_, n) => ({
    ...{ contentId: `content-${n}`, slotId: 'hero' },
    amounts: [['v', 0, 0, n + 1]],
  }))
}

async function published(contents: ContentAmounts[], stored = 0) {
  const all: { id: string; text: string }[] = []
  const publish = async (_subject: string, text: string | Uint8Array, id: string) => {
    all.push({ id, text: String(text) })
    return { stream: '', seq: all.length, duplicate: false }
  }
  await createPublishLearning({ publish } as never, createMetrics())(3, { ...LEARNING, contents }, stored)
  return all
}

const read = (text: string): LearningEnvelope => {
  const parsed = parseLearningEnvelope(JSON.parse(text))
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

it('what is too much for one message of the broker goes in parts, each of which counts once', async () => {
  const contents = contentsOf(10_000)
  const all = await published(contents)
  expect(all.length).toBeGreaterThan(2)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  for (const { text } of all) expect(text.length).toBeLessThan(400_000)
  const learned = nothingLearned()
  // Again after a crash.
  for (const { text } of [...all, ...all.slice(1), ...all]) foldEnvelope(learned, 3, read(text), NOW)
  const { byId } = learned.contents.sites.get('shop')!
  expect(byId.size).toBe(10_000)
  for (const { contentId, amounts } of contents)
    expect(byId.get(contentId)!.rows.get('v\0hero')).toEqual([0, amounts[0]![3]])
})

it('a part is known as repeated once all of its message is stored, though its name was forgotten', async () => {
  const all = await published(contentsOf(10_000))
  const learned = nothingLearned()
  for (const { text } of all) foldEnvelope(learned, 3, read(text), NOW)
  const [next] = await published(contentsOf(1), 7)
  foldEnvelope(learned, 3, { ...read(next!.text), seq: 8 }, NOW)
  learned.removals.clear()
  for (const { text } of all) foldEnvelope(learned, 3, read(text), NOW)
  expect(learned.contents.sites.get('shop')!.byId.get('content-9999')!.rows.get('v\0hero')).toEqual([0, 10_000])
})

it('few amounts go with the steps, in one message', async () => {
  const [only, ...others] = await published(contentsOf(9))
  expect(others).toEqual([])
  expect(read(only!.text)).not.toHaveProperty('batch')
})
