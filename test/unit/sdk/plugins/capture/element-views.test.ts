import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openPage } from '../page.js'
import { stubViewing } from '../viewing.js'

let page: Awaited<ReturnType<typeof openPage>>
let viewing: ReturnType<typeof stubViewing>

beforeEach(async () => {
  viewing = stubViewing()
  page = await openPage(
    { elementViews: true },
    '<section id="a" data-track-view="Pricing Seen" data-track-plan="pro"></section><section id="b"></section>',
  )
  vi.useFakeTimers()
})
afterEach(() => {
  page.close()
  localStorage.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('a marked element that was half in view for a second is reported once', async () => {
  viewing.show('#a', 0.4)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(page.tracked).toEqual([])
  viewing.show('#a', 0.6)
  await vi.advanceTimersByTimeAsync(999)
  expect(page.tracked).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  viewing.show('#a', 1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(page.tracked).toMatchObject([{ event: 'Pricing Seen', properties: { plan: 'pro' } }])
})

it('one that is added or marked later counts, too', async () => {
  document.body.insertAdjacentHTML('beforeend', '<div><p id="c" data-track-view="Late Seen"></p></div>')
  document.querySelector<HTMLElement>('#b')!.dataset.trackView = 'Marked Seen'
  await Promise.resolve()
  viewing.show('#c')
  viewing.show('#b')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(page.names()).toEqual(['Late Seen', 'Marked Seen'])
})

it('elements that are gone are forgotten with the page view', async () => {
  expect(viewing.observed()).toBe(1)
  document.querySelector('#a')?.remove()
  history.pushState(null, '', '/next')
  expect(viewing.observed()).toBe(0)
})
