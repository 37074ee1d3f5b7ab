import { createLog } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { createUnpublished } from '#aggregator/profiles/apply/unpublished.js'
import { createFlush } from '#aggregator/profiles/partition/flush.js'

const log = createLog('test')
log.level = 'silent'

const from = { siteId: 'shop', visitorId: 'phone', receivedAt: '2026-01-01T00:00:00.000Z' }
const link = { anonymousId: 'phone', userId: 'ann', link: { firstAt: 1, lastAt: 1, messages: 1 } }
const identity = (users: number) => ({ ...from, changes: Array.from({ length: users }, () => link) }) as never
const tellings = [{ ...from, seq: 2, visitors: ['user:ann'], userId: 'ann', messages: [] }]

/** A partition in which the first message names users, and the second is told to one of them. */
function somePartition(index: number) {
  const unpublished = createUnpublished()
  unpublished.add('phone', { identity: identity(3) })
  unpublished.add('phone', { tellings })
  const nothing = async () => {}
  return {
    ...{ index, unpublished, checkpoint: { seq: 0, revision: 0 }, progress: { through: 2 } },
    cache: { unstored: () => [] } as never,
    timers: { beforeWrite: nothing, afterWrite: nothing },
  }
}

/** Flushes partitions; `fails` says whether the link of the so manyeth attempt can't be published. */
function flushing(fails: (attempt: number) => boolean) {
  const done: string[] = []
  const checkpoints: number[] = []
  let attempts = 0
  const nothing = async () => {}
  const flush = createFlush({
    store: {
      write: async () => 1,
      readCheckpoint: async () => ({ seq: 0, revision: 0 }),
      writeCheckpoint: async partition => checkpoints.push(partition),
    },
    publish: {
      ...{ signals: nothing, rejected: nothing, news: nothing, learning: nothing, forward: nothing },
      async identity({ changes }) {
        for (const _change of changes) await new Promise(setImmediate)
        if (fails(++attempts)) throw new Error('the stream is full')
        done.push('links')
      },
      async telling() {
        done.push('telling')
      },
    },
    log,
    onOutdated: () => {},
  })
  return { flush, done, checkpoints }
}

describe('what persons are told', () => {
  it('comes after the links of all messages before it', async () => {
    const { flush, done } = flushing(() => false)
    expect(await flush([somePartition(0)])).toBe(true)
    expect(done).toEqual(['links', 'telling'])
  })

  it('waits for the next pass where a link could not be published, in that partition alone', async () => {
    const { flush, done, checkpoints } = flushing(attempt => attempt === 1)
    const partitions = [somePartition(0), somePartition(1)]
    expect(await flush(partitions)).toBe(false)
    expect(done).toEqual(['links', 'telling'])
    expect(checkpoints).toEqual([1])
    expect(await flush(partitions)).toBe(true)
    expect(done).toEqual(['links', 'telling', 'links', 'telling'])
    expect(checkpoints).toEqual([1, 0])
    expect(partitions.map(({ unpublished }) => unpublished.size)).toEqual([0, 0])
  })
})
