import { expect, it } from 'vitest'
import { checkedOrigins } from '#collector/admin/sites/checked-origins.js'

it.each([
  '*',
  'null',
  'https://shop.example',
  'https://shop.example/',
  'HTTPS://Shop.Example',
  'http://localhost:5173',
  'http://[::1]:3000',
  'https://xn--mller-kva.example',
  'capacitor://localhost',
  'chrome-extension://abcdef',
])('takes %s, which pages have', origin => {
  expect(checkedOrigins([origin])).toEqual([origin])
})

it.each([
  ['shop.example', 'did you mean "https://shop.example"?'],
  ['localhost:5173', 'did you mean "http://localhost:5173"?'],
  ['https://shop.example/path', 'did you mean "https://shop.example"?'],
  ['https://shop.example:443', 'did you mean "https://shop.example"?'],
  ['http://shop.example:80/', 'did you mean "http://shop.example"?'],
  ['https://shop.example ', 'did you mean "https://shop.example"?'],
  ['https://müller.example', 'did you mean "https://xn--mller-kva.example"?'],
  ['https://user@shop.example', 'did you mean "https://shop.example"?'],
  ['https://*.shop.example', 'patterns are not understood'],
  ['https://', 'it must be one such as "https://shop.example"'],
])('rejects %s, which no page has, and says what to write', (origin, hint) => {
  expect(() => checkedOrigins(['https://a.example', origin])).toThrow(hint)
})

it('leaves what a site has already, and what is no list of texts, to others', () => {
  expect(checkedOrigins(['shop.example'], ['shop.example'])).toEqual(['shop.example'])
  expect(checkedOrigins('shop.example')).toBe('shop.example')
  expect(checkedOrigins([5])).toEqual([5])
})
