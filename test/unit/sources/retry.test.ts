import { describe, expect, it } from 'vitest'
import { retryAfterMs, withRetry } from '#sources/retry.js'

function clock() {
  const pauses: number[] = []
  return { pauses, sleep: async (ms: number) => void pauses.push(ms), random: () => 1 }
}

describe('withRetry', () => {
  it('pauses twice as long each time, and gives the result of the try that works', async () => {
    const { pauses, ...options } = clock()
    let left = 3
    const attempt = async () =>
      left-- > 0 ? { ok: false as const, reason: 'no' } : { ok: true as const, value: 'done' }
    expect(await withRetry('it', attempt, options)).toBe('done')
    expect(pauses).toEqual([250, 500, 1_000])
  })

  it('never tries sooner than the server asked for', async () => {
    const { pauses, ...options } = clock()
    let left = 1
    const attempt = async () =>
      left-- > 0 ? { ok: false as const, reason: 'no', retryAfterMs: 3_000 } : { ok: true as const, value: 1 }
    await withRetry('it', attempt, options)
    expect(pauses).toEqual([3_000])
  })

  it('goes on for as long as the server asks it to come again later', async () => {
    const { pauses, ...options } = clock()
    let left = 50
    const attempt = async () =>
      left-- > 0
        ? { ok: false as const, reason: 'too many messages', retryAfterMs: 2_000, isPaced: true }
        : { ok: true as const, value: 'done' }
    expect(await withRetry('it', attempt, { ...options, tries: 3 })).toBe('done')
    expect(pauses).toEqual(new Array(50).fill(2_250))
  })

  it('gives up after its tries, with what was wrong and what to do', async () => {
    const { pauses, ...options } = clock()
    const attempt = async () => ({ ok: false as const, reason: '503 unavailable' })
    await expect(withRetry('POST /v1/batch', attempt, { ...options, tries: 3 })).rejects.toThrow(
      /POST \/v1\/batch failed 3 times, at last: 503 unavailable\. Run the same command again/,
    )
    expect(pauses).toHaveLength(2)
  })
})

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1)
  it.each([
    ['2', 2_000],
    ['0', 0],
    [new Date(now + 5_000).toUTCString(), 5_000],
    [new Date(now - 5_000).toUTCString(), 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %s', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms)
  })
})
