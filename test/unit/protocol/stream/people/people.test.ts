import {
  belongsTo,
  isForgotten,
  isProfileForgotten,
  joinTombstones,
  type KeyedHash,
  namedIn,
  namedInText,
  type Person,
  profileKey,
  type Tombstone,
  tombstoneKey,
  visitorsOf,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const person: Person = { siteId: 's', userIds: ['u'], browsers: ['b'], anonymousIds: ['a'] }

describe('what belongs to a person', () => {
  it.each([
    ['their userId', { userId: 'u' }, true],
    ['their userId in any browser', { userId: 'u', anonymousId: 'z' }, true],
    ['their browser before it knew who', { anonymousId: 'b' }, true],
    ['their browser under another userId', { anonymousId: 'b', userId: 'v' }, false],
    ['the browser that was asked for, under any userId', { anonymousId: 'a', userId: 'v' }, true],
    ['an alias of theirs, whoever gave it', { userId: 'v', previousId: 'b' }, true],
    ['ids of the other kind', { userId: 'a', anonymousId: 'u' }, false],
    ['nothing', {}, false],
  ])('%s', (_, named, theirs) => expect(belongsTo(person, named)).toBe(theirs))

  it('has the profiles of its browsers and of the userId alone', () => {
    expect(visitorsOf(person)).toEqual(['b', 'a', 'user:u'])
    expect(visitorsOf({ ...person, browsers: ['user:x'] })[0]).toBe('visitor:user:x')
  })
})

describe('the ids that a text names', () => {
  it('are read as the product reads them: numbers are text, and what is no id is none', () => {
    expect(namedIn({ anonymousId: 7, userId: null, previousId: {} })).toEqual({ anonymousId: '7' })
    expect(namedIn(null)).toEqual({})
  })

  it.each([
    ['a message', '{"userId":"u"}'],
    ['escapes', '{"userId":"\\u0075"}'],
    ['a list where an id should be', '{"userId":["u"]}'],
    ['an object where an id should be', '{"anonymousId":{"id":"u"}}'],
    ['a list of messages', '[{"anonymousId":"u"}]'],
    ['text that was cut', '{"type":"track","userId" : "u","properties":{"a":"bbb'],
  ])('are found in %s', (_, text) => {
    expect(namedInText(text).flatMap(named => Object.values(named))).toContain('u')
  })

  it('are not taken from anywhere else', () => {
    expect(namedInText('{"properties":{"userId":"u"},"name":"u"}')).toEqual([])
    expect(namedInText('"u"')).toEqual([])
  })
})

describe('a deletion that is remembered', () => {
  const keyed: KeyedHash = text => Buffer.from(text).toString('base64url')
  const stones = new Map<string, Tombstone>([
    [tombstoneKey(keyed, 's', 'userId', 'u'), { all: 100 }],
    [tombstoneKey(keyed, 's', 'anonymousId', 'b'), { anonymous: 100 }],
    [tombstoneKey(keyed, 's', 'anonymousId', 'a'), { all: 100, anonymous: 200 }],
  ])
  const find = (kind: 'anonymousId' | 'userId', id: string) => stones.get(tombstoneKey(keyed, 's', kind, id))

  it.each([
    [{ userId: 'u' }, 100, true],
    [{ userId: 'u' }, 101, false],
    [{ anonymousId: 'b' }, 100, true],
    [{ anonymousId: 'b', userId: 'v' }, 100, false],
    [{ anonymousId: 'a', userId: 'v' }, 100, true],
    [{ anonymousId: 'a', userId: 'v' }, 150, false],
    [{ anonymousId: 'a' }, 150, true],
    [{ userId: 'v', previousId: 'b' }, 100, true],
    [{ anonymousId: 'u' }, 1, false],
  ])('refuses %j of time %i: %s', (named, time, refused) => expect(isForgotten(find, named, time)).toBe(refused))

  it('covers profiles that began before it, whoever they are of now', () => {
    const profile = (anonymousId: string, userId: string, ms: number) => ({
      anonymousId,
      userId,
      firstSeen: new Date(ms).toISOString(),
    })
    expect(isProfileForgotten(find, profile('b', 'v', 100))).toBe(true)
    expect(isProfileForgotten(find, profile('b', 'v', 101))).toBe(false)
    expect(isProfileForgotten(find, profile('', 'u', 50))).toBe(true)
    expect(isProfileForgotten(find, profile('z', '', 50))).toBe(false)
  })

  it('is joined with a later one, each kind by itself', () => {
    expect(joinTombstones({ all: 5 }, { anonymous: 7 })).toEqual({ all: 5, anonymous: 7 })
    expect(joinTombstones({ all: 5, anonymous: 9 }, { all: 6, anonymous: 8 })).toEqual({ all: 6, anonymous: 9 })
  })

  it('names nobody in its key, nor does a profile', () => {
    const hash: KeyedHash = () => 'h'
    expect(tombstoneKey(hash, 's', 'userId', 'secret')).toBe('s.h')
    expect(profileKey(hash, { siteId: 's', visitorId: 'secret' }, 1)).toBe('0.s.h')
  })
})
