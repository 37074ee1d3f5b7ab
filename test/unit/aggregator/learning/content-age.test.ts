import { describe, expect, it } from 'vitest'
import { createContentAge } from '#aggregator/learning/contents/content-age.js'
import type { ReadMessage } from '#aggregator/learning/thread/messages.js'

const message = (storedAt: number, pending = 0, stream = 'LEARNING'): ReadMessage => ({
  ...{ stream, seq: 1, position: 1, partition: 0, data: new Uint8Array(), storedAt, pending },
})

function setting() {
  let now = 1_000_000
  const age = createContentAge(() => now)
  return {
    age,
    wait(ms: number) {
      now += ms
    },
  }
}

function following() {
  const { age, wait } = setting()
  age.loaded(900_000)
  age.caughtUp()
  return { age, wait }
}

describe('the age of what is known of content', () => {
  it('is that of the snapshot until the streams are read', () => {
    const { age, wait } = setting()
    age.loaded(900_000)
    expect(age.ageMs()).toBe(100_000)
    age.counting([message(990_000)])(true)
    age.noteChanges(true)
    wait(50)
    expect(age.ageMs()).toBe(100_050)
    age.caughtUp()
    expect(age.ageMs()).toBe(0)
  })

  it('is nothing while nothing waits', () => {
    const { age, wait } = following()
    wait(60_000)
    expect(age.ageMs()).toBe(0)
    age.counting([message(1_060_000)])(false)
    expect(age.ageMs()).toBe(0)
  })

  it('begins with what is read, and ends when it is told', () => {
    const { age, wait } = following()
    wait(60_000)
    const counted = age.counting([message(1_059_990)])
    wait(30)
    expect(age.ageMs()).toBe(30)
    counted(true)
    wait(500)
    expect(age.ageMs()).toBe(530)
    age.noteChanges(false)
    expect(age.ageMs()).toBe(530)
    age.noteChanges(true)
    expect(age.ageMs()).toBe(0)
  })

  it('goes on with the messages of a stream that has more', () => {
    const { age, wait } = following()
    age.counting([message(995_000, 3), message(999_000, 0, 'LEARNING-1')])(false)
    wait(10_000)
    expect(age.ageMs()).toBe(10_000)
    age.counting([message(1_004_000, 2)])(true)
    expect(age.ageMs()).toBe(10_000)
    age.noteChanges(true)
    expect(age.ageMs()).toBe(6_000)
    age.counting([message(1_009_000, 0)])(false)
    expect(age.ageMs()).toBe(0)
  })

  it('begins again where the thread does', () => {
    const { age } = following()
    age.counting([message(995_000, 3)])
    age.loaded(0)
    expect(age.ageMs()).toBe(1_000_000)
    age.caughtUp()
    expect(age.ageMs()).toBe(0)
  })
})
