import { decideSubject, fromKeyToken, keyToken, profilesSubject, streamSubject, uuidv7 } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

describe('subjects', () => {
  it('name one partition each', () => {
    expect(streamSubject('events', 7)).toBe('events.7')
    expect(streamSubject('decisions', 0)).toBe('decisions.0')
    expect(streamSubject('signals', 7)).toBe('signals.7')
    expect(streamSubject('rejected', 31)).toBe('rejected.31')
    expect(decideSubject(7)).toBe('decide.7')
    expect(profilesSubject(7)).toBe('profile.7')
  })
})

describe('keyToken', () => {
  it.each(['plain-Id_9', 'a.b', 'a b', '*', '>', '=', '==2e', 'a=2eb', 'größe', '😀', '../..', 'user:42', '\0\r\n'])(
    'makes one token of %j, and gives it back',
    text => {
      const token = keyToken(text)
      expect(token).toMatch(/^[-/_=A-Za-z0-9]+$/)
      expect(fromKeyToken(token)).toBe(text)
    },
  )

  it('leaves ordinary ids readable', () => {
    expect(keyToken('0190a1b2-c3d4_e')).toBe('0190a1b2-c3d4_e')
  })
})

describe('uuidv7', () => {
  it('has version and variant, and sorts by time', () => {
    const ids = [1, 2, 1_700_000_000_000, 1_700_000_000_001].map(now => uuidv7(now))
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([...ids].sort()).toEqual(ids)
  })

  it('differs each time', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => uuidv7(0))).size).toBe(1_000)
  })
})
