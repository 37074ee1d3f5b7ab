import type { JsMsg } from '@nats-io/jetstream'
import { describe, expect, it } from 'vitest'
import { createBlockReader, type ReadOptions } from '#aggregator/warehouse/load/read/block-reader.js'

const LIMITS = { maxRows: 10, maxBytes: 1_000, maxAgeMs: 1 }

/** A reader of as many messages as are given to it, one row each. */
function messages() {
  const waiting: ((result: IteratorResult<JsMsg>) => void)[] = []
  const given: IteratorResult<JsMsg>[] = []
  let seq = 0
  const hand = (result: IteratorResult<JsMsg>) => {
    const reader = waiting.shift()
    if (reader) reader(result)
    else given.push(result)
  }
  const iterator: AsyncIterator<JsMsg> = {
    next: () => {
      const result = given.shift()
      return result ? Promise.resolve(result) : new Promise(resolve => waiting.push(resolve))
    },
  }
  const reader = createBlockReader(iterator)
  return {
    reader,
    read: (limits: typeof LIMITS, options?: ReadOptions) => reader.read(() => 1, limits, options),
    give(count: number, bytes = 1) {
      for (let n = 0; n < count; n++)
        hand({ value: { seq: ++seq, data: new Uint8Array(bytes), info: { pending: 1 } } as JsMsg })
    },
    end: () => hand({ value: undefined, done: true }),
  }
}

const seqs = (taken: JsMsg[]) => taken.map(({ seq }) => seq)

describe('a block reader', () => {
  it('takes up to a limit of rows or bytes, and goes on where it stopped', async () => {
    const { read, give } = messages()
    give(12)
    expect(seqs(await read(LIMITS))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(seqs(await read(LIMITS))).toEqual([11, 12])
    give(3, 600)
    expect(seqs(await read(LIMITS))).toEqual([13, 14])
  })

  it('waits for the first message as long as it takes, and no longer than the age for others', async () => {
    const { read, give } = messages()
    const taking = read(LIMITS)
    setTimeout(() => give(1), 10)
    expect(seqs(await taking)).toEqual([1])
  })

  it('goes on reading while something else is under way, up to the other limits', async () => {
    const { read, give } = messages()
    let finish = () => {}
    const meanwhile = new Promise<void>(resolve => {
      finish = resolve
    })
    give(1)
    const taking = read(LIMITS, { meanwhile })
    setTimeout(() => give(2), 10)
    setTimeout(finish, 20)
    expect(seqs(await taking)).toEqual([1, 2, 3])
    give(20)
    expect(await read(LIMITS, { meanwhile: new Promise(() => {}) })).toHaveLength(10)
  })

  it('does not fail because what is under way does', async () => {
    const { read, give } = messages()
    give(1)
    expect(await read(LIMITS, { meanwhile: Promise.reject(new Error('refused')) })).toHaveLength(1)
  })

  it('takes exactly the messages up to a sequence, whatever the limits say', async () => {
    const { read, reader, give, end } = messages()
    give(20)
    expect(await read(LIMITS, { until: 15, whole: true })).toHaveLength(15)
    end()
    expect(seqs(await read(LIMITS))).toEqual([16, 17, 18, 19, 20])
    expect(reader.ended).toBe(true)
  })
})
