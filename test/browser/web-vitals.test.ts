import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { pageOf, SDK } from './world.js'

/** Writes down what this package captures and what the library `web-vitals` reports, where the next page finds both. */
const COMPARE = `<script>
  const note = (who, { name, value, rating }) => {
    localStorage[who] = JSON.stringify([...JSON.parse(localStorage[who] ?? '[]'), { name, value, rating }])
  }
  addEventListener('slotstream:captured', ({ detail: { event, properties } }) => {
    if (event === 'Web Vital') note('own', properties)
  })
  for (const name of ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']) webVitals['on' + name](metric => note('whole', metric))
  addEventListener('click', () => {
    const until = performance.now() + 250
    while (performance.now() < until);
  })
  new PerformanceObserver(() => document.body.dataset.shifted = '').observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver(list => {
    if (list.getEntries().some(({ interactionId }) => interactionId)) document.body.dataset.clicked = ''
  }).observe({ type: 'event', buffered: true })
</script>`

it('reports what it measured of a document with the view that loaded it, not with a later route', async () => {
  const { url } = await world.network({ '/first': pageOf(`${SDK}<h1>Hello</h1>`) })
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.addInitScript(`addEventListener('slotstream:captured', ({ detail: { type, event, context } }) => {
    const line = [event ?? type, context.pageViewId, context.page.path, context.page.title]
    localStorage.seen = JSON.stringify([...JSON.parse(localStorage.seen ?? '[]'), line])
  })`)
  const seen = () => page.evaluate(() => JSON.parse(localStorage.getItem('seen') ?? '[]') as string[][])
  await page.goto(`${url}/first`)
  await until('a vital', seen, lines => lines.some(([name]) => name === 'Web Vital'))
  await page.evaluate(() => {
    history.pushState(null, '', '/second')
    document.title = 'Second'
  })
  await page.goto(`${url}/blank`)
  const lines = await until(
    'those of the end',
    seen,
    lines => lines.filter(([name]) => name === 'Web Vital').length > 2,
  )
  const [first, second] = lines.filter(([name]) => name === 'page')
  expect([first?.slice(2), second?.slice(2)]).toEqual([
    ['/first', 'Page'],
    ['/second', 'Second'],
  ])
  for (const [, ...view] of lines.filter(([name]) => name === 'Web Vital')) expect(view).toEqual(first?.slice(1))
  await context.close()
})

it('measures what the library web-vitals measures', async () => {
  const { url } = await world.network({
    '/vitals': pageOf(
      `<script src="/whole.js"></script>${SDK}${COMPARE}<div id="late"></div><h1>Hello</h1><button>Slow</button>`,
    ),
  })
  const context = await browser.newContext()
  const page = await context.newPage()
  const whole = await readFile(
    new URL('../../node_modules/web-vitals/dist/web-vitals.iife.js', import.meta.url),
    'utf8',
  )
  await page.route('**/whole.js', route => route.fulfill({ contentType: 'text/javascript', body: whole }))
  const noted = (who: string) =>
    page.evaluate(
      who =>
        (JSON.parse(localStorage.getItem(who) ?? '[]') as { name: string; value: number; rating: string }[]).sort(
          (a, b) => (a.name < b.name ? -1 : 1),
        ),
      who,
    )
  const both = (names: string) =>
    until(
      `${names} of both`,
      async () => [await noted('own'), await noted('whole')],
      all => all.every(metrics => metrics.map(({ name }) => name).join() === names),
    )

  await page.goto(`${url}/vitals`)
  await both('FCP,TTFB')
  await page.evaluate(() => {
    document.querySelector<HTMLElement>('#late')!.style.height = '200px'
  })
  await page.waitForSelector('[data-shifted]')
  await page.click('button')
  await page.waitForSelector('[data-clicked]')
  // Both look at a click when the page has nothing else to do, or after a second.
  await page.evaluate(() => new Promise<unknown>(resolve => requestIdleCallback(resolve, { timeout: 1_500 })))
  await both('FCP,LCP,TTFB')
  await page.goto(`${url}/blank`)
  const [own, all] = await both('CLS,FCP,INP,LCP,TTFB')
  expect(own).toEqual(all)
  expect(own?.every(({ value }) => value > 0)).toBe(true)
  await context.close()
})
