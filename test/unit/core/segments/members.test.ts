import type { JsonObject, Members } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { changeMembers } from '#core/segments/members/members.js'
import { nextSegmentChange } from '#core/segments/members/next-change.js'
import { messageAt } from '../features/some-features.js'
import { someSegments } from './some-segments.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.UTC(2026, 10, 1, 12)

describe('members', () => {
  it('change once, and in the order of their names, whatever is told again', () => {
    const before: Members = [['b', 1]]
    const { members, changes } = changeMembers(before, { entered: ['c', 'b', 'a'], left: ['x'], at: 5 })
    expect(members).toEqual([
      ['a', 5],
      ['b', 1],
      ['c', 5],
    ])
    expect(changes).toEqual([
      { segment: 'c', kind: 'entered', since: 5, at: 5 },
      { segment: 'a', kind: 'entered', since: 5, at: 5 },
    ])
    expect(changeMembers(members, { entered: ['a', 'b', 'c'], left: [], at: 9 })).toEqual({ members, changes: [] })
    expect(changeMembers(members, { entered: [], left: ['a'], at: 9 }).changes).toEqual([
      { segment: 'a', kind: 'left', since: 5, at: 9 },
    ])
  })

  it('of a segment that is gone go without leaving it', () => {
    expect(changeMembers([['old', 1]], { entered: [], left: [], dropped: ['old'], at: 5 })).toEqual({
      members: [],
      changes: [],
    })
  })
})

describe('the next change without a message', () => {
  const segmentOver = (feature: string) => ({ name: 'one', where: { [`features.${feature}`]: { $gte: 1 } } })

  /** When a member of one segment over a feature is looked at, of one view at noon, in milliseconds after noon. */
  function nextOf(where: JsonObject, after: number, members: Members = [['one', NOON]]): number | undefined {
    const { features, segments } = someSegments([{ name: 'one', where }])
    const draft = draftFeatures(emptyStates(0), features)
    draft.add(messageAt(NOON, 'Product Viewed', { category: 'camp' }), NOON)
    const next = nextSegmentChange(segments, members, features, draft.soFar(), NOON + after)
    return next === undefined ? undefined : next - NOON
  }

  it.each([
    // The minute that ends with the view is in the last hour until an hour after its end.
    ['a sliding window ends', segmentOver('views_1h').where, 0, HOUR],
    ['nothing is left in the window', segmentOver('views_1h').where, HOUR, undefined],
    ['the day ends', segmentOver('views_today').where, 0, 12 * HOUR],
    ['the day has ended', segmentOver('views_today').where, 13 * HOUR, undefined],
    ['the session ends', segmentOver('views_session').where, MINUTE, 30 * MINUTE + 1],
    ['the session has ended', segmentOver('views_session').where, HOUR, undefined],
    ['an interest fades, by a sixtieth of its half-life', segmentOver('warmth').where, HOUR, HOUR + MINUTE],
    ['the interest is gone', segmentOver('warmth').where, 2 * DAY, undefined],
    ['nothing ever changes', segmentOver('views.camp').where, 0, undefined],
    ['time since a message grows, within a minute', segmentOver('since_view').where, 0, MINUTE],
    ['time since a message grows, by a twentieth', segmentOver('since_view').where, 100 * MINUTE, 105 * MINUTE],
    ['time since a message grows, within a day', segmentOver('since_view').where, 100 * DAY, 101 * DAY],
    ['the present time is asked for', { now: { $gt: '2026-12-01' } }, 0, 10 * MINUTE],
  ] as [string, JsonObject, number, number | undefined][])('%s', (_name, where, after, expected) => {
    expect(nextOf(where, after)).toBe(expected)
  })

  it('of a segment over others is that of any of them', () => {
    const nested = { name: 'two', where: { segments: { $in: ['one'] } } }
    const { features, segments } = someSegments([segmentOver('views_1h'), nested])
    const draft = draftFeatures(emptyStates(0), features)
    draft.add(messageAt(NOON, 'Product Viewed'), NOON)
    expect(nextSegmentChange(segments, [['two', NOON]], features, draft.soFar(), NOON)).toBe(NOON + HOUR)
  })

  it('is none for others than members, unless what grows may let them in', () => {
    expect(nextOf(segmentOver('views_1h').where, 0, [])).toBeUndefined()
    expect(nextOf(segmentOver('since_view').where, 0, [])).toBe(MINUTE)
  })
})
