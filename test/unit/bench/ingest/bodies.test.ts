import { type Batch, checkMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { BATCH_SIZE, createBodies } from '#bench/ingest/bodies.js'

const NOW = Date.UTC(2026, 0, 1)

function batches(run: string, count: number): (Batch & { batchId: string })[] {
  const bodies = createBodies(run, NOW)
  return Array.from({ length: count }, () => JSON.parse(bodies.next().toString()))
}

describe('createBodies', () => {
  it('never gives an id twice, nor one of another run', () => {
    const all = [...batches('a', 50), ...batches('b', 50)]
    const ids = all.flatMap(({ batch }) => batch.map(message => message.messageId))
    expect(new Set(ids).size).toBe(100 * BATCH_SIZE)
    expect(new Set(all.map(({ batchId }) => batchId)).size).toBe(100)
  })

  it('gives valid messages of about 300 bytes, each batch of one visitor', () => {
    for (const { batch } of batches('a', 3)) {
      expect(new Set(batch.map(message => message.anonymousId)).size).toBe(1)
      for (const message of batch) {
        expect(checkMessage(message, { received: NOW }).ok).toBe(true)
        expect(Math.abs(JSON.stringify(message).length - 300)).toBeLessThan(50)
      }
    }
  })

  it('changes visitors from batch to batch', () => {
    expect(new Set(batches('a', 20).map(({ batch }) => batch[0]?.anonymousId)).size).toBe(20)
  })
})
