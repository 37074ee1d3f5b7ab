import { expect, it } from 'vitest'
import { checkPreviewLink } from '#collector/admin/previews/check-preview-link.js'

const check = (body: Record<string, unknown>) => checkPreviewLink(body, 'shop', 1_000)

it('a link is of a site, for a visitor or content, for an hour', () => {
  expect(check({ as: { anonymousId: 'v' } })).toEqual({
    ok: true,
    value: { link: { siteId: 'shop', as: { anonymousId: 'v' }, expiresAt: 3_601_000 } },
  })
  const full = check({ show: { hero: ['a', 'b'] }, expiresIn: '7d', url: 'https://shop.example/a?b=c' })
  expect(full).toMatchObject({ ok: true, value: { link: { show: { hero: ['a', 'b'] }, expiresAt: 604_801_000 } } })
  expect(full.ok && full.value.url?.href).toBe('https://shop.example/a?b=c')
})

it.each([
  [{}, /as and show are both missing/],
  [{ ass: {} }, /ass is unknown: did you mean as\?/],
  [{ as: { anonymousID: 'v' } }, /as\.anonymousID is unknown: did you mean as\.anonymousId\?/],
  [{ as: {} }, /as must have/],
  [{ as: 'v' }, /as must be/],
  [{ as: { anonymousId: '' } }, /as must have/],
  [{ as: { userId: 5 } }, /as must have/],
  [{ show: {} }, /show must be/],
  [{ show: { hero: 'a' } }, /show\.hero must be a list/],
  [{ show: { hero: [] } }, /show\.hero must be a list/],
  [{ show: { hero: Array(51).fill('a') } }, /show\.hero must be a list of 1 to 50/],
  [{ show: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [index, ['a']])) }, /more than 20 slots/],
  [{ as: { userId: 'u' }, url: '/page' }, /url must be the URL of a page/],
  [{ as: { userId: 'u' }, url: 'javascript:alert(1)' }, /url must be the URL of a page/],
  [{ as: { userId: 'u' }, expiresIn: '8d' }, /expiresIn must be a duration such as "30m", at most 7d/],
  [{ as: { userId: 'u' }, expiresIn: '0s' }, /expiresIn must be/],
  [{ as: { userId: 'u' }, expiresIn: 60 }, /expiresIn must be/],
])('%j is rejected', (body, reason) => {
  expect(check(body)).toEqual({ ok: false, reason: expect.stringMatching(reason) })
})
