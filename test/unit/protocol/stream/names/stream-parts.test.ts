import { POSITIONS_PER_STREAM, partOf, pastParts, streamParts } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

describe('the streams of a kind', () => {
  it('are one with all subjects, unless more are wanted', () => {
    expect(streamParts('events', 1, 32)).toEqual([
      { name: 'EVENTS', subjects: ['events.*'], first: 0, last: 31, base: 0, start: 1 },
    ])
  })

  it('share the partitions in ranges, the first under the plain name', () => {
    expect(streamParts('rejected', 3, 4)).toEqual([
      { name: 'REJECTED', subjects: ['rejected.0'], first: 0, last: 0, base: 0, start: 1 },
      { name: 'REJECTED_1', subjects: ['rejected.1'], first: 1, last: 1, base: POSITIONS_PER_STREAM, start: 1 },
      {
        name: 'REJECTED_2',
        subjects: ['rejected.2', 'rejected.3'],
        first: 2,
        last: 3,
        base: 2 * POSITIONS_PER_STREAM,
        start: 1,
      },
    ])
  })

  it('store each partition once, and have positions of their own, however many there are', () => {
    for (const [count, partitions] of [
      [1, 1],
      [4, 32],
      [5, 32],
      [7, 100],
      [1024, 1024],
    ] as const) {
      const parts = streamParts('events', count, partitions)
      expect(parts).toHaveLength(count)
      const stored = parts.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
      expect(stored).toEqual(Array.from({ length: partitions }, (_, partition) => partition))
      for (const partition of [0, partitions - 1]) {
        const { first, last } = partOf(parts, partition)
        expect(partition >= first && partition <= last).toBe(true)
      }
      expect(Number.isSafeInteger(parts.at(-1)!.base + POSITIONS_PER_STREAM - 1)).toBe(true)
    }
    expect(() => partOf(streamParts('events', 2, 8), 8)).toThrow('no stream stores partition 8')
  })

  it('go on after those they took over from, in names, positions and sequences', () => {
    const past = [
      { count: 1, end: 500 },
      { count: 2, end: 700 },
    ]
    expect(streamParts('events', 1, 4, past)).toEqual([
      { name: 'EVENTS_3', subjects: ['events.*'], first: 0, last: 3, base: 3 * POSITIONS_PER_STREAM, start: 701 },
    ])
    expect(pastParts('events', 4, past)).toEqual([
      { name: 'EVENTS', subjects: ['retired.EVENTS'], first: 0, last: 3, base: 0, start: 1 },
      {
        name: 'EVENTS_1',
        subjects: ['retired.EVENTS_1'],
        first: 0,
        last: 1,
        base: POSITIONS_PER_STREAM,
        start: 501,
      },
      {
        name: 'EVENTS_2',
        subjects: ['retired.EVENTS_2'],
        first: 2,
        last: 3,
        base: 2 * POSITIONS_PER_STREAM,
        start: 501,
      },
    ])
  })
})
