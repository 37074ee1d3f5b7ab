import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { QueryProgress } from '#clickhouse/engine/running/processes.js'
import {
  DEFAULT_PROGRESS_INTERVAL_MS,
  MAX_PROGRESS_BYTES,
  nextGapMs,
  PROGRESS_HEADER,
  progressValue,
  reportProgress,
} from '#clickhouse/http/reply/progress.js'

const PROGRESS: QueryProgress = {
  read_rows: '10',
  read_bytes: '80',
  written_rows: '0',
  written_bytes: '0',
  total_rows_to_read: '100',
  elapsed_ns: '1500000000',
  memory_usage: '4096',
}

/** As long as it gets in a table of a thousand billion rows. */
const LONG = Object.fromEntries(Object.keys(PROGRESS).map(name => [name, '9'.repeat(13)])) as unknown as QueryProgress

describe('a progress header', () => {
  it("has ClickHouse's fields, as text", () => {
    expect(JSON.parse(progressValue(PROGRESS))).toEqual({ ...PROGRESS, result_rows: '0', result_bytes: '0' })
  })
})

describe('the gap between two', () => {
  it('is what was asked for at first, grows with the query, and stays below a minute or what was asked for', () => {
    expect(nextGapMs(0, 100)).toBe(100)
    expect(nextGapMs(10_000, 100)).toBe(2_500)
    expect(nextGapMs(3_600_000, 100)).toBe(45_000)
    expect(nextGapMs(3_600_000, 110_000)).toBe(110_000)
  })
})

describe('reporting', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const report = (progress: QueryProgress | undefined, send: (value: string) => boolean, intervalMs: number) =>
    reportProgress({ intervalMs, look: async () => progress, send })

  it('lasts for ten minutes at the default, within the bytes that clients take', async () => {
    const sent: [at: number, bytes: number][] = []
    const started = Date.now()
    report(LONG, value => sent.push([Date.now() - started, PROGRESS_HEADER.length + value.length]) > 0, 100)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(sent.slice(0, 3).map(([at]) => at)).toEqual([100, 200, 300])
    expect(sent.at(-1)![0]).toBeGreaterThan(600_000)
    const total = sent.reduce((sum, [, bytes]) => sum + bytes, 0)
    expect(total).toBeLessThanOrEqual(MAX_PROGRESS_BYTES)
    expect(MAX_PROGRESS_BYTES).toBeLessThan(0.8 * 16 * 1024)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says nothing of a query that waits for its turn, and goes on when a look fails', async () => {
    const looks = [async () => undefined, () => Promise.reject(new Error('no')), async () => PROGRESS]
    const send = vi.fn(() => true)
    const stop = reportProgress({ intervalMs: 100, look: async () => looks.shift()?.(), send })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(send).toHaveBeenCalledExactlyOnceWith(progressValue(PROGRESS))
    stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends when it is stopped, also in the middle of a look, and when no more can be sent', async () => {
    let answer: (progress: QueryProgress) => void = () => {}
    const send = vi.fn(() => false)
    const stop = reportProgress({
      intervalMs: DEFAULT_PROGRESS_INTERVAL_MS,
      look: () => new Promise(resolve => (answer = resolve)),
      send,
    })
    await vi.advanceTimersByTimeAsync(100)
    stop()
    answer(PROGRESS)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(send).not.toHaveBeenCalled()

    report(PROGRESS, send, 100)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(send).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })
})
