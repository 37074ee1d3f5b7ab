import { expect, it } from 'vitest'
import { createProgress } from '#aggregator/profiles/apply/progress.js'
import { createFreshness } from '#aggregator/profiles/partition/freshness.js'

/** The freshness of a partition, with a clock that stands until it is set. */
function freshness() {
  const progress = createProgress(0)
  let time = 0
  const at = (ms: number) => {
    time = ms
  }
  return { progress, at, ...createFreshness(progress, () => time) }
}

it('is 0 while nothing is missing, however long nothing comes', () => {
  const { at, read, applied, ageMs } = freshness()
  at(60_000)
  expect(ageMs()).toBe(0)
  read(0)
  applied(59_990)
  at(120_000)
  expect(ageMs()).toBe(0)
})

it('counts from when everything was applied, while the stream has more', () => {
  const { at, read, applied, ageMs } = freshness()
  at(10_000)
  read(500)
  at(10_400)
  expect(ageMs()).toBe(400)
  // What was received after that is applied, too, but for what came in the last 300 ms.
  applied(10_100)
  expect(ageMs()).toBe(300)
  read(0)
  expect(ageMs()).toBe(0)
})

it('counts while a message waits for its profile', () => {
  const { at, progress, ageMs } = freshness()
  progress.received(7, false)
  at(50)
  expect(ageMs()).toBe(50)
  progress.applied(7)
  expect(ageMs()).toBe(0)
})

it('counts while the stream is not read', () => {
  const { at, setPaused, ageMs } = freshness()
  at(1_000)
  setPaused(true)
  at(3_000)
  expect(ageMs()).toBe(2_000)
  setPaused(false)
  expect(ageMs()).toBe(0)
})
