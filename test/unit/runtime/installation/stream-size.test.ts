import { describe, expect, it } from 'vitest'
import { KINDS } from '#runtime/installation/layout.js'
import { defaultStreamBytes, freeBytes, type SizeFacts } from '#runtime/installation/stream-size.js'

const GB = 1_000_000_000
const facts: SizeFacts = { kind: 'events', streams: 1, free: 100 * GB, held: 0, current: undefined }

describe('the size of a stream by default', () => {
  it.each([
    ['a share of the free disk', {}, 30 * GB],
    ['no more than a bound', { free: 10_000 * GB }, 120 * GB],
    ['shared by the streams of a kind', { streams: 4 }, 7.5 * GB],
    ['that which it has', { current: 5 * GB }, 5 * GB],
    ['its share when it has none', { current: -1 }, 30 * GB],
    ['more than what it holds', { current: -1, held: 40 * GB }, 60 * GB],
    ['none where the disk is not known', { free: undefined, held: 1 }, -1],
  ] as [string, Partial<SizeFacts>, number][])('is %s', (_what, more, bytes) => {
    expect(defaultStreamBytes({ ...facts, ...more })).toBe(bytes)
  })

  it('promises half of the disk in all', () => {
    const sum = KINDS.reduce((total, kind) => total + defaultStreamBytes({ ...facts, kind }), 0)
    expect(sum).toBe(50 * GB)
  })
})

describe('the free bytes of a folder', () => {
  it('are known where there is one', async () => {
    expect(await freeBytes('/')).toBeGreaterThan(0)
    expect([await freeBytes(''), await freeBytes('/no/such/folder')]).toEqual([undefined, undefined])
  })
})
