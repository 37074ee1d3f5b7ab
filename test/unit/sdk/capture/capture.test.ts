import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { campaignOf } from '#sdk/capture/context.js'
import { type Engagement, type EngagementEvent, engage, IDLE_MS, REPORT_MS } from '#sdk/capture/engagement.js'
import { createSessions, nextSession } from '#sdk/capture/sessions.js'
import { nextView } from '#sdk/capture/view.js'
import { settle } from '#sdk/client/options.js'
import { createIds } from '#sdk/platform/ids.js'
import { VERSION } from '#sdk/version.js'
import { memoryStorage } from '../harness.js'

const MINUTE = 60_000
const limits = { sessionTimeout: 30 * MINUTE, sessionMaxAge: 24 * 60 * MINUTE }
const counter = () => {
  let count = 0
  return () => `s${++count}`
}

describe('a session', () => {
  const session = { id: 'a', startedAt: 0, lastAt: 0 }

  it('lasts through pauses of less than 30 minutes', () => {
    expect(nextSession(session, 30 * MINUTE - 1, limits, counter())).toEqual({ ...session, lastAt: 30 * MINUTE - 1 })
  })
  it('ends with a pause of 30 minutes', () => {
    expect(nextSession(session, 30 * MINUTE, limits, counter()).id).toBe('s1')
  })
  it('ends after 24 hours without a pause', () => {
    const busy = { ...session, lastAt: 24 * 60 * MINUTE - 1 }
    expect(nextSession(busy, 24 * 60 * MINUTE, limits, counter()).id).toBe('s1')
  })
  it('ends with a clock that was far ahead, at any distance', () => {
    for (const ahead of [24 * 60 * MINUTE, 400 * 24 * 60 * MINUTE]) {
      const later = { id: 's', startedAt: ahead, lastAt: ahead }
      expect(nextSession(later, 0, limits, counter())).toEqual({ id: 's1', startedAt: 0, lastAt: 0 })
    }
  })

  it('does not end because the clock was set back', () => {
    const late = { id: 'a', startedAt: 1_000 * MINUTE, lastAt: 1_000 * MINUTE }
    expect(nextSession(late, 0, limits, counter())).toEqual(late)
  })
  it('is shared by tabs and survives a reload', () => {
    const storage = memoryStorage()
    const newId = counter()
    const [one, two] = [createSessions(storage, limits, newId), createSessions(storage, limits, newId)]
    expect(one.touch(1)).toBe('s1')
    expect(two.touch(20 * MINUTE)).toBe('s1')
    expect(one.touch(45 * MINUTE)).toBe('s1')
    one.reset()
    expect(one.touch(46 * MINUTE)).toBe('s2')
    expect(two.touch(46 * MINUTE)).toBe('s2')
  })
  it('that another tab has ended is not gone on with', () => {
    const storage = memoryStorage()
    const newId = counter()
    const [one, two] = [createSessions(storage, limits, newId), createSessions(storage, limits, newId)]
    one.touch(1)
    two.touch(1)
    one.reset()
    two.reread()
    expect(two.touch(2)).toBe('s2')
  })
})

describe('engagement', () => {
  const start: Engagement = { visible: true, lastInput: 0, countedTo: 0, activeMs: 0 }
  const after = (...events: [EngagementEvent['type'], number][]) =>
    events.reduce((state, [type, at]) => engage(state, { type, at }), start).activeMs

  it('counts the time between inputs', () => expect(after(['input', 2_000], ['input', 4_000])).toBe(4_000))
  it('stops counting when input stops', () => expect(after(['hidden', 60_000])).toBe(IDLE_MS))
  it('does not count while hidden', () =>
    expect(after(['hidden', 1_000], ['input', 3_000], ['visible', 90_000], ['hidden', 91_000])).toBe(2_000))
  it('begins anew when it was reported', () => expect(after(['input', 3_000], ['reported', 3_000])).toBe(0))
  it('counts a gap once', () => expect(after(['input', 20_000], ['input', 21_000])).toBe(IDLE_MS + 1_000))
  it('reports less often than a visitor goes idle', () => expect(REPORT_MS).toBeGreaterThan(IDLE_MS))
})

describe('ids', () => {
  it('ascend within a millisecond and when the clock is set back', () => {
    let now = 1_000_000
    const newId = createIds(() => now)
    const ids = Array.from({ length: 10_000 }, (_, index) => {
      if (index === 5_000) now -= 500
      return newId()
    })
    expect(ids).toEqual([...new Set(ids)].toSorted())
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

describe('a page view', () => {
  it('has the view before it as its referrer', () => {
    const newId = counter()
    const first = nextView(undefined, 'https://a/1', 'https://search/', newId)
    const second = nextView(first, 'https://a/2', 'https://search/', newId)
    expect(second).toEqual({ pageViewId: 's2', referrer: 'https://a/1', url: 'https://a/2' })
    expect(nextView(second, 'https://a/2', '', newId).referrer).toBe('https://a/1')
  })
})

describe('campaigns', () => {
  it('come from utm parameters', () => {
    expect(campaignOf('?utm_source=mail&utm_campaign=spring%20sale&x=1')).toEqual({
      source: 'mail',
      name: 'spring sale',
    })
    expect(campaignOf('?x=1')).toBeUndefined()
    expect(campaignOf('?utm_source=')).toBeUndefined()
  })
  it('come from the click ids of advertisers, under their own names', () => {
    expect(campaignOf('?gclid=a&fbclid=b&msclkid=c&ttclid=d&wbraid=e&utm_id=7&id=x&clid_x=y')).toEqual({
      gclid: 'a',
      fbclid: 'b',
      msclkid: 'c',
      ttclid: 'd',
      wbraid: 'e',
      id: '7',
    })
  })
})

describe('options', () => {
  it('keep their defaults where they are undefined', () => {
    expect(settle({ writeKey: 'k', maxBatchBytes: undefined as unknown as number }, 'https://a')).toMatchObject({
      maxBatchBytes: 60_000,
      endpoint: 'https://a',
    })
  })
  it('take an endpoint with or without a slash at its end', () => {
    expect(settle({ writeKey: 'k', endpoint: 'https://c/' }, 'https://a').endpoint).toBe('https://c')
  })
})

it('says the version its package has', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../../sdk/package.json', import.meta.url), 'utf8'))
  expect(VERSION).toBe(version)
})
