import { describe, expect, it } from 'vitest'
import { checkWebhook } from '#collector/admin/webhooks/check-webhook.js'

const KNOWN = ['left-cart', 'segment_left', 'a']
const URL_OF = 'https://example.com/hook'
const faultsOf = (body: Record<string, unknown>, allowPrivate = false) => {
  const checked = checkWebhook(body, KNOWN, allowPrivate)
  return checked.ok ? [] : checked.faults
}

describe('a webhook that is declared', () => {
  it('has a URL and names of signals, each once; without names it gets all', () => {
    expect(checkWebhook({ url: URL_OF, signals: ['left-cart', 'left-cart'] }, KNOWN, false)).toEqual({
      ok: true,
      value: { url: URL_OF, signals: ['left-cart'] },
    })
    expect(checkWebhook({ url: 'HTTPS://Example.com' }, KNOWN, false)).toMatchObject({
      value: { url: 'https://example.com/', signals: [] },
    })
  })

  it('is rejected with a line for each fault', () => {
    expect(faultsOf({ url: 7, sinals: [], signals: ['a b', 3] })).toEqual([
      'webhook.sinals: unknown field, did you mean "signals"?',
      'url: must be a URL that begins with https://',
      expect.stringMatching(/^signals\[0\]: must be the name of a signal/),
      expect.stringMatching(/^signals\[1\]: must be the name of a signal/),
    ])
    expect(faultsOf({ url: URL_OF, signals: ['left_cart', 'a', 'nope'] })).toEqual([
      'signals[0]: there is no signal "left_cart": did you mean "left-cart"?',
      'signals[2]: there is no signal "nope": there are left-cart, segment_left, a',
    ])
    expect(faultsOf({ url: URL_OF, signals: 'all' })).toEqual([expect.stringContaining('must be a list')])
    expect(faultsOf({ url: URL_OF, signals: Array(201).fill('a') })).toEqual([expect.stringContaining('has 201 names')])
  })

  it.each([
    ['http://example.com/', 'must begin with https://'],
    ['ftp://example.com/', 'must begin with https://'],
    ['javascript:alert(1)', 'must begin with https://'],
    ['//example.com/', 'must be a URL'],
    ['https://user:word@example.com/', 'must have no user and password'],
    ['https://example.com/#x', 'must have no fragment'],
    [`https://example.com/${'ü'.repeat(400)}`, 'bytes, 2048 are allowed'],
    ['https://127.0.0.1/', 'private network'],
    ['https://127.1/', 'private network'],
    ['https://2130706433/', 'private network'],
    ['https://0x7f.0.0.1:8443/', 'private network'],
    ['https://[::1]/', 'private network'],
    ['https://[::ffff:10.0.0.1]/', 'private network'],
    ['https://169.254.169.254/latest/meta-data', 'private network'],
    ['https://localhost/', 'private network'],
    ['https://api.localhost./', 'private network'],
  ])('is not at %s', (url, why) => {
    expect(faultsOf({ url })).toEqual([expect.stringContaining(why)])
  })

  it('may be in a private network and without TLS where that is permitted', () => {
    for (const url of ['http://127.0.0.1:9000/', 'https://10.0.0.1/', 'http://localhost/'])
      expect(faultsOf({ url }, true)).toEqual([])
    expect(faultsOf({ url: 'ftp://127.0.0.1/' }, true)).toEqual(['url: must begin with http:// or https://'])
  })
})
