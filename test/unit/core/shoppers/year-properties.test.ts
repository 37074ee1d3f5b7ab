import { applyAndDetect, DEFAULT_FEATURES, type HashText } from '@slotstream/core'
import type { EventEnvelope, Profile, SignalRecord } from '@slotstream/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashText } from '#aggregator/hash-text.js'
import { suspicionOf } from '#core/bots/suspicion.js'
import { DAY, type Shopper, START, yearOfShoppers } from './year.js'

const hash: HashText = hashText

/** Relevant messages within which a shift has to be found. */
const WITHIN = 5

interface Lived {
  shopper: Shopper
  signals: SignalRecord[]
  /** Whether it was flagged at any time. */
  wasFlagged: boolean
  profile: Profile
}

/** Sends what a shopper sends through the reducer, each message by itself, and fires what is due in between. */
function live(shopper: Shopper): Lived {
  let profile: Profile | undefined
  let seq = 0
  let wasFlagged = false
  const signals: SignalRecord[] = []
  const apply = (at: number, fields: Partial<EventEnvelope>) => {
    const receivedAt = new Date(at).toISOString()
    const envelope: EventEnvelope = { siteId: 'shop', visitorId: shopper.id, receivedAt, messages: [], ...fields }
    const applied = applyAndDetect(profile, envelope, ++seq, hash, { anonymousDays: 0 })
    profile = applied.profile
    signals.push(...applied.signals)
  }
  const fireUntil = (at: number) => {
    for (let due = profile?.patterns?.due; due !== undefined && due <= at; due = profile?.patterns?.due)
      apply(due, { timer: { at: due, anonymousId: shopper.id, userId: '' } })
  }
  for (const [index, message] of shopper.messages.entries()) {
    const at = Date.parse(message.timestamp)
    fireUntil(at)
    apply(at, { messages: [message] })
    if (index % 50 === 49) wasFlagged ||= isFlagged()
  }
  fireUntil(START + 400 * DAY)
  wasFlagged ||= isFlagged()
  return { shopper, signals, wasFlagged, profile: profile! }

  function isFlagged(): boolean {
    return suspicionOf(profile!.features!, DEFAULT_FEATURES).isBot
  }
}

const people: Lived[] = []
const bots: Lived[] = []
beforeAll(() => {
  for (const shopper of yearOfShoppers(20261129)) (shopper.isBot ? bots : people).push(live(shopper))
}, 300_000)

describe('a year of shoppers', () => {
  it('has planted shifts, which are found within five relevant messages, and hardly anything else is', () => {
    let planted = 0
    let foundInTime = 0
    let told = 0
    let right = 0
    for (const { shopper, signals } of people) {
      const shifts = signals.filter(({ signal }) => signal === 'interest_shift')
      told += shifts.length
      for (const [index, { at, to, relevant }] of shopper.shifts.entries()) {
        const next = shopper.shifts[index + 1]?.at ?? Number.POSITIVE_INFINITY
        const found = shifts.find(signal => {
          const time = Date.parse(signal.timestamp)
          return signal.details.to === to && time >= at && time < next
        })
        if (found) right++
        if (relevant.length < WITHIN) continue
        planted++
        if (found && relevant.slice(0, WITHIN).includes(found.messageId)) foundInTime++
      }
    }
    expect(planted).toBeGreaterThan(150)
    expect(foundInTime / planted).toBeGreaterThanOrEqual(0.9)
    expect(right / told).toBeGreaterThanOrEqual(0.9)
  })

  it('has abandoned carts, each of which is told once, and no other', () => {
    let abandoned = 0
    for (const { shopper, signals } of people) {
      const found = signals.filter(({ signal }) => signal === 'cart_abandonment')
      const times = found.map(({ timestamp }) => Date.parse(timestamp)).toSorted((a, b) => a - b)
      expect(times, shopper.id).toEqual(shopper.abandoned.toSorted((a, b) => a - b))
      abandoned += times.length
    }
    expect(abandoned).toBeGreaterThan(500)
  })

  it('has programs, which are flagged by what they do, and less than 1 % of the people are', () => {
    const missed = bots.filter(({ wasFlagged }) => !wasFlagged).map(({ shopper }) => shopper.id)
    const accused = people.filter(({ wasFlagged }) => wasFlagged).map(({ shopper }) => shopper.id)
    expect(missed).toEqual([])
    expect(people.length).toBeGreaterThan(100)
    expect(accused.length / people.length).toBeLessThan(0.01)
  })
})
