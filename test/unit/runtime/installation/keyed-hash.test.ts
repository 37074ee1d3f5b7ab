import { createPrivacy } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'

describe('what names people by a key', () => {
  const privacy = createPrivacy('one secret')
  const other = createPrivacy('another secret')

  it('gives the same hash for the same text and key only, as a token of a KV key', () => {
    expect(privacy.keyed('x')).toBe(createPrivacy('one secret').keyed('x'))
    expect(privacy.keyed('x')).not.toBe(other.keyed('x'))
    expect(privacy.keyed('x')).toMatch(/^[\w-]{22}$/)
  })

  it('encrypts what is to be read again, each time otherwise', () => {
    const sealed = privacy.seal('o\'Neil "ü"')
    expect(privacy.seal('o\'Neil "ü"')).not.toBe(sealed)
    expect(privacy.unseal(sealed)).toBe('o\'Neil "ü"')
    expect(() => other.unseal(sealed)).toThrow()
    expect(() => privacy.unseal(`${sealed.slice(0, -2)}AA`)).toThrow()
  })
})
