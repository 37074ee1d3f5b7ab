import { DEFAULT_SCRUBBED } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { scrubUrl } from '#collector/enrich/scrub-url.js'

const names = new Set(DEFAULT_SCRUBBED)

describe('scrubUrl', () => {
  it.each([
    ['https://a.example/p?token=abc&x=1', 'https://a.example/p?token=redacted&x=1'],
    ['https://a.example/p?x=1&Email=me%40a.example#top', 'https://a.example/p?x=1&Email=redacted#top'],
    ['https://a.example/#access_token=abc&state=1', 'https://a.example/#access_token=redacted&state=1'],
    ['https://a.example/?%74oken=abc', 'https://a.example/?%74oken=redacted'],
    ['https://a.example/?user[password]=abc', 'https://a.example/?user[password]=redacted'],
    ['?token=a=b=c', '?token=redacted'],
    ['https://me:secret@a.example/p', 'https://a.example/p'],
    ['https://a.example/p?token=1;password=2', 'https://a.example/p?token=redacted;password=redacted'],
    ['https://a.example/?%=1&password=x', 'https://a.example/?%=1&password=redacted'],
  ])('blots out %s', (url, scrubbed) => {
    expect(scrubUrl(url, names)).toBe(scrubbed)
    expect(scrubUrl(scrubbed, names)).toBe(scrubbed)
  })

  it.each(['https://a.example/@me/p?q=token', 'no address', '', '/p?tokens=1', 'https://a.example/?utm_source=mail'])(
    'leaves %s as it is',
    url => {
      expect(scrubUrl(url, names)).toBe(url)
    },
  )
})
