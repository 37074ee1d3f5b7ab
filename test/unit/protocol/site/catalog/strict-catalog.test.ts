import { type Check, strictContent, strictSlot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { unknownField } from '#collector/admin/strict/unknown-field.js'

const SLOTS = new Set(['hero', 'teaser'])
const content = { id: 'sale', slots: ['hero'] }

function reasonOf(checked: Check<unknown>): string {
  if (checked.ok) throw new Error('was taken')
  return checked.reason
}

describe('an unknown field', () => {
  const known = ['startsAt', 'endsAt', 'category', 'slots']

  it.each([
    ['startAt', 'startsAt'],
    ['starts_at', 'startsAt'],
    ['StartsAt', 'startsAt'],
    ['start', 'startsAt'],
    ['endAt', 'endsAt'],
    ['Category', 'category'],
    ['categories', 'category'],
    ['slot', 'slots'],
  ])('%s is told with what was meant: %s', (name, meant) => {
    expect(unknownField({ category: '', [name]: 1 }, known, 'content.')).toBe(
      `content.${name} is unknown: did you mean content.${meant}?`,
    )
  })

  it('that is like none is told with all there are, and not at full length', () => {
    expect(unknownField({ colour: 1 }, known)).toBe('colour is unknown: there are startsAt, endsAt, category, slots')
    expect(unknownField({ ['x'.repeat(100_000)]: 1 }, known)).toHaveLength(64 + 56)
    expect(unknownField({ slots: 1 }, known)).toBeUndefined()
  })
})

describe('a content that is put', () => {
  it.each([
    [{ startAt: '2026-11-27T00:00:00Z' }, 'startAt is unknown: did you mean startsAt?'],
    [{ startsAt: '27.11.2026' }, 'startsAt must be an ISO 8601 date with a time zone'],
    [{ startsAt: 'Nov 27 2026' }, 'startsAt must be an ISO 8601'],
    [{ endsAt: '2026-02-30T00:00:00Z' }, 'endsAt must be an ISO 8601'],
    [{ endsAt: 1780000000000 }, 'endsAt must be an ISO 8601'],
    [{ startsAt: '2026-11-27T00:00:00Z', endsAt: '2026-11-26T00:00:00Z' }, 'must be after startsAt'],
    [{ startsAt: '2026-11-27T00:00:00Z', endsAt: '2026-11-27T01:00:00+01:00' }, 'must be after startsAt'],
    [{ slots: ['heros'] }, 'the site has no slot "heros": did you mean "hero"?'],
    [{ slots: ['hero', 'footer'] }, 'the site has no slot "footer": put it first'],
  ])('is rejected with %j', (fields, reason) => {
    expect(reasonOf(strictContent({ ...content, ...fields }, SLOTS))).toContain(reason)
  })

  it('keeps times with a zone as they are, and takes others for UTC', () => {
    const times = (startsAt: unknown, endsAt: unknown) => strictContent({ ...content, startsAt, endsAt }, SLOTS)
    expect(times('2026-11-27T00:00:00+01:00', '2026-11-28T00:00Z')).toMatchObject({
      value: { startsAt: '2026-11-27T00:00:00+01:00', endsAt: '2026-11-28T00:00Z' },
    })
    expect(times('2026-11-27T09:00:00', '2026-11-28')).toMatchObject({
      value: { startsAt: '2026-11-27T09:00:00.000Z', endsAt: '2026-11-28T00:00:00.000Z' },
    })
    expect(times(undefined, null)).toEqual({ ok: true, value: { ...content, category: '', payload: {} } })
  })
})

describe('a slot that is put', () => {
  it.each([
    [{ hold_out: 0.1 }, 'hold_out is unknown: did you mean holdout?'],
    [{ policy: { type: 'affinity', explore: 0.2 } }, 'policy.explore is unknown: did you mean policy.exploration?'],
    [{ policy: { type: 'random', contentIds: [] } }, 'policy.contentIds is unknown: there are type'],
    [{ max_age: '5s' }, 'max_age is unknown: did you mean maxAge?'],
    [{ maxAge: 5 }, 'maxAge must be a duration such as "5s" or "1m"'],
    [{ maxAge: '5 seconds' }, 'maxAge must be a duration such as "5s" or "1m"'],
  ])('is rejected with %j', (fields, reason) => {
    expect(reasonOf(strictSlot({ id: 'hero', ...fields }))).toBe(reason)
  })

  it('is taken with what there is', () => {
    const attribution = { rule: 'linear', windowHours: 48 }
    const slot = { id: 'hero', policy: { type: 'fixed', contentIds: ['a'] }, count: 2, holdout: 0.1, attribution }
    expect(strictSlot({ ...slot, maxAge: '5s' })).toEqual({ ok: true, value: { ...slot, maxAge: '5s' } })
  })
})
