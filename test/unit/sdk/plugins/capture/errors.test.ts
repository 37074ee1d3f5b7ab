import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>>

beforeEach(async () => {
  page = await openPage({ errors: true })
})
afterEach(() => {
  page.close()
  localStorage.clear()
  vi.unstubAllGlobals()
})

const fail = (message: string, filename = 'https://shop.example/a.js?v=1#x', lineno = 7, colno = 9) =>
  window.dispatchEvent(new ErrorEvent('error', { message, filename, lineno, colno }))
const reject = (reason: unknown) =>
  window.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason, promise: undefined }))

it('an error says what and where, without the query of its source', () => {
  fail('TypeError: x is undefined')
  expect(page.tracked).toMatchObject([
    {
      event: 'Page Error',
      properties: { message: 'TypeError: x is undefined', source: 'https://shop.example/a.js', line: 7, column: 9 },
    },
  ])
})

it('a rejection says the same of its error, and nothing of anything else', () => {
  const error = new RangeError('too far')
  error.stack = 'RangeError: too far\n    at run (https://shop.example/b.js:3:14)'
  reject(error)
  reject('no answer')
  reject({ card: '4111' })
  expect(page.tracked.map(({ properties }) => properties)).toEqual([
    { message: 'RangeError: too far', source: 'https://shop.example/b.js', line: 3, column: 14 },
    { message: 'no answer', source: '', line: 0, column: 0 },
    { message: 'A promise was rejected with something that is no Error', source: '', line: 0, column: 0 },
  ])
})

it('one that comes again is reported once per page view', () => {
  for (let i = 0; i < 1_000; i++) fail('again')
  fail('again', 'https://shop.example/a.js', 8)
  expect(page.tracked).toHaveLength(2)
  history.pushState(null, '', '/next')
  fail('again')
  expect(page.tracked).toHaveLength(3)
  expect(new Set(page.tracked.map(({ pageViewId }) => pageViewId)).size).toBe(2)
})

it('a page that is full of them reports ten', () => {
  for (let i = 0; i < 1_000; i++) fail(`error ${i}`)
  expect(page.tracked).toHaveLength(10)
})

it('those of browser extensions and those without harm are left out', () => {
  fail('x', 'chrome-extension://abcdef/content.js')
  fail('x', 'moz-extension://abcdef/content.js')
  fail('ResizeObserver loop completed with undelivered notifications.')
  window.dispatchEvent(new ErrorEvent('error', { message: '' }))
  expect(page.tracked).toEqual([])
})

it('a long message is cut', () => {
  fail('x'.repeat(10_000))
  expect(page.tracked[0]?.properties.message).toHaveLength(300)
})
