import { expect, it } from 'vitest'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { pageOf, WRITE_KEY } from './world.js'

/** A page with a snippet that works as Segment's does: it queues calls as lists until its library is there. */
const snippet = (key: string) => `
<script>
  const analytics = (window.analytics = window.analytics || [])
  analytics.invoked = true
  for (const name of ['track', 'page', 'identify', 'group', 'alias', 'reset', 'ready', 'on', 'once', 'user', 'setAnonymousId'])
    analytics[name] = (...given) => {
      if (window.analytics.initialized) return window.analytics[name](...given)
      const page = { __t: 'bpc', p: location.pathname, u: location.href, s: '', t: document.title, r: '' }
      analytics.push([name, ...given, ...(['track', 'page', 'identify', 'group', 'alias'].includes(name) ? [page] : [])])
      return analytics
    }
  const script = document.createElement('script')
  script.async = true
  script.setAttribute('data-global-segment-analytics-key', 'analytics')
  script.src = '/analytics.js/v1/${key}/analytics.min.js'
  document.head.append(script)
  window.early = analytics
  window.told = []
  analytics.on('track', (event, properties) => told.push(['on', event, properties.n]))
  analytics.page('Docs', 'Home', { section: 'a' })
  analytics.identify('u-1', { plan: 'pro' })
  analytics.track('Queued', { n: 1 }, () => told.push(['done']))
  analytics.setAnonymousId('x')
  analytics.ready(() => told.push(['ready', typeof window.analytics.user().anonymousId()]))
</script>
<a id="link" href="#there">there</a>`

interface Page extends Window {
  analytics: Record<string, (...given: unknown[]) => unknown> & { initialized?: boolean; length?: number }
  early: Page['analytics']
  told: unknown[][]
}

it('Segment’s snippet, told only where the library is, has its queue replayed and goes on', async () => {
  const network = await world.network({ '/': pageOf(snippet(WRITE_KEY)) })
  const page = await browser.newPage()
  const warnings: string[] = []
  page.on('console', message => message.type() === 'warning' && warnings.push(message.text()))
  await page.goto(network.url)
  await page.waitForFunction(() => (window as unknown as Page).told.length === 3)
  // As Segment's library has it: promises, nothing to link, and a number that is rounded already is no id.
  await page.evaluate(async () => {
    const { analytics } = window as unknown as Page
    await (analytics.ready!() as Promise<void>).then(() => {})
    analytics.trackLink!(null, 'Nothing')
    analytics.identify!(Number('175928847299117063'))
  })
  await page.evaluate(() => {
    const { analytics, early } = window as unknown as Page
    ;(early.track!('Late', { n: 2 }) as Promise<void>).then(() => {})
    analytics.track!('Later', { n: 3 })
    analytics.push!(['track', 'Pushed', { n: 4 }])
    analytics.identify!({ city: 'Hamburg' })
    analytics.group!('g-1', { name: 'Example' })
    analytics.page!('Prices')
    analytics.trackLink!(document.querySelector('#link'), 'Link Clicked', { n: 5 })
    document.querySelector<HTMLElement>('#link')!.click()
  })
  const stored = await until(
    'all calls are there',
    () => world.everything(),
    messages =>
      messages.some(({ event }) => event === 'Link Clicked') && messages.some(({ name }) => name === 'Prices'),
  )
  const calls = stored.filter(({ event }) => !['Web Vital', 'Page Engaged'].includes(event ?? ''))
  expect(calls.map(({ type, event, name, groupId }) => [type, event ?? name ?? groupId])).toEqual([
    ['page', 'Home'],
    ['identify', undefined],
    ['track', 'Queued'],
    ['track', 'Late'],
    ['track', 'Later'],
    ['track', 'Pushed'],
    ['identify', undefined],
    ['group', 'g-1'],
    ['page', 'Prices'],
    ['track', 'Link Clicked'],
  ])
  expect(calls[0]?.properties).toMatchObject({ category: 'Docs', section: 'a' })
  expect(calls[1]).toMatchObject({ userId: 'u-1', traits: { plan: 'pro' } })
  expect(calls[2]?.properties).toEqual({ n: 1 })
  expect(calls[6]).toMatchObject({ userId: 'u-1', traits: { city: 'Hamburg' } })
  expect(new Set(calls.map(({ anonymousId }) => anonymousId)).size).toBe(1)
  const told = await page.evaluate(() => (window as unknown as Page).told)
  expect(told.slice(0, 3)).toEqual([['on', 'Queued', 1], ['done'], ['ready', 'string']])
  expect(warnings.filter(text => text.includes('setAnonymousId'))).toHaveLength(1)
  // What the bundle loads later comes from beside it.
  const paths = () =>
    page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname))
  await until('the plugins of a page', paths, found => found.includes(`/analytics.js/v1/${WRITE_KEY}/sdk/defaults.js`))
})

it('an unknown key has no library, and one that is there already stays', async () => {
  const network = await world.network({
    '/': pageOf(
      `<script>window.analytics = { initialized: true, mine: true }</script>
       <script src="/analytics.js/v1/${WRITE_KEY}/analytics.min.js"></script>`,
    ),
    '/clobbered': pageOf(
      `<a id="analytics" href="#">analytics</a><script src="/analytics.js/v1/${WRITE_KEY}/analytics.min.js"></script>`,
    ),
  })
  expect((await fetch(`${network.url}/analytics.js/v1/nobody/analytics.min.js`)).status).toBe(401)
  const page = await browser.newPage()
  await page.goto(network.url)
  expect(await page.evaluate(() => (window as unknown as { analytics: { mine?: boolean } }).analytics.mine)).toBe(true)
  await page.goto(`${network.url}/clobbered`)
  expect(await page.evaluate(() => (window as unknown as Page).analytics.initialized)).toBe(true)
})
