import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { noticeSilence } from '#runtime/nats/streams/notice-silence.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const EVERY = { everyMs: 100, looks: 3 }

it('silence is what lasts for some looks in a row', () => {
  const onSilence = vi.fn()
  const notice = noticeSilence(EVERY, () => true, onSilence)
  vi.advanceTimersByTime(250)
  notice.heard()
  vi.advanceTimersByTime(240)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(100)
  expect(onSilence).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(300)
  expect(onSilence).toHaveBeenCalledTimes(2)
  notice.stop()
  vi.advanceTimersByTime(1_000)
  expect(onSilence).toHaveBeenCalledTimes(2)
})

it('who does not listen notices none', () => {
  let isListening = false
  const onSilence = vi.fn()
  const notice = noticeSilence(EVERY, () => isListening, onSilence)
  vi.advanceTimersByTime(1_000)
  expect(onSilence).not.toHaveBeenCalled()
  isListening = true
  vi.advanceTimersByTime(200)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(100)
  expect(onSilence).toHaveBeenCalledTimes(1)
  notice.stop()
})
