import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Browser } from '../support/engines/engine.js'
import { engines } from '../support/engines/engines.js'
import { until } from '../support/until.js'
import { numberOf, type PageWindow, pageOf, SDK, startWorld, upTo, type World } from './world.js'

let world: World

beforeAll(async () => {
  world = await startWorld()
})

afterAll(() => world?.stop())

/** Each page of the round tracks a quarter of the 500 events and goes on to the next; the second waits to be killed. */
const offlinePage = pageOf(`${SDK}<script>
  const round = Number(location.search.slice(1))
  for (let i = 0; i < 125; i++) slotstream.track('Offline', { i: round * 125 + i })
  if (round === 0) location.replace('/offline?1')
  else slotstream.flush().then(() => {
    if (round === 1) location.replace('/offline?2')
    else fetch('/mark?' + round)
  })
</script>`)

/**
 * What may be wrong with IndexedDB: a script that runs before the SDK, and what happens after the first messages. That
 * is waited for: what is written before a deletion and not sent yet would be deleted with the rest.
 */
const storageFaults: [name: string, before: string, later?: () => Promise<unknown>][] = [
  ['missing', `Object.defineProperty(window, 'indexedDB', { value: undefined })`],
  ['throwing on open', `IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }`],
  ['full', `IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError') }`],
  [
    'deleted under our feet',
    '',
    () =>
      new Promise(resolve => {
        indexedDB.deleteDatabase('slotstream-shop').onsuccess = resolve
      }).then(() => undefined),
  ],
  [
    'taken over by a later version',
    '',
    () =>
      new Promise(resolve => {
        indexedDB.open('slotstream-shop', 99).onsuccess = resolve
      }).then(() => undefined),
  ],
]

describe.each(await engines())('in $name', engine => {
  let browser: Browser
  let tags = 0
  /** A name that no other test, nor another try of this one, has used. */
  const tag = (event: string) => `${event} ${engine.name} ${++tags}`

  beforeAll(async () => {
    browser = await engine.launch()
  })

  afterAll(() => browser?.close())

  it('500 events captured offline outlive three reloads and the browser, killed in between, and arrive once, in order', async () => {
    const event = tag('Offline')
    const page = { ...offlinePage, html: offlinePage.html.replace("'Offline'", `'${event}'`) }
    const network = await world.network({ '/offline': page })
    network.cut()
    const profile = await mkdtemp(join(tmpdir(), 'slotstream-profile-'))
    onTestFinished(() => rm(profile, { recursive: true, force: true }))
    const first = await engine.visit(profile, `${network.url}/offline?0`)
    onTestFinished(first.kill)
    await until(
      '375 are captured',
      () => network.marks,
      marks => marks.includes('2'),
    )
    await first.kill()
    const second = await engine.visit(profile, `${network.url}/offline?3`)
    onTestFinished(second.kill)
    await until(
      '500 are captured',
      () => network.marks,
      marks => marks.includes('3'),
    )
    expect(await world.stored(event)).toEqual([])
    network.mend()
    const messages = await world.arrival(event, 500)
    expect(messages.map(numberOf)).toEqual(upTo(500))
  })

  it('20 events arrive that were captured in the task that navigates away', async () => {
    const network = await world.network()
    const tab = await browser.open(`${network.url}/page`)
    const event = tag('Navigated')
    await tab.evaluate((event: string) => {
      for (let i = 0; i < 20; i++) (window as unknown as PageWindow).slotstream.track(event, { i })
      location.href = '/blank'
    }, event)
    const messages = await world.arrival(event, 20)
    expect(messages.map(numberOf)).toEqual(upTo(20))
    await tab.close()
  })

  it('20 events arrive that were captured in the task that closes the tab', async () => {
    const network = await world.network()
    const opener = await browser.open(`${network.url}/blank`)
    const event = tag('Closed')
    const closed = await opener.evaluate(async (event: string) => {
      const tab = window.open('/page') as unknown as PageWindow | null
      while (tab && !tab.slotstream) await new Promise(resolve => setTimeout(resolve, 50))
      for (let i = 0; i < 20; i++) tab?.slotstream.track(event, { i })
      tab?.close()
      return tab?.closed
    }, event)
    // WebKit opens no windows for pages that are under control: there the driver closes a tab, by ending its process.
    // What is stored by then, as the queue's latest number says, the next visit sends.
    if (engine.name === 'WebKit') {
      const tab = await browser.open(`${network.url}/page`)
      await tab.evaluate((event: string) => {
        for (let i = 0; i < 20; i++) (window as unknown as PageWindow).slotstream.track(event, { i })
        return new Promise<void>(resolve => {
          const timer = setInterval(() => {
            if (Number(localStorage.getItem('slotstream.queue.shop.seq')) <= 20) return
            clearInterval(timer)
            resolve()
          }, 50)
        })
      }, event)
      await tab.close()
    } else expect(closed).toBe(true)
    if (engine.name === 'WebKit') await browser.open(`${network.url}/page`)
    const messages = await world.arrival(event, 20)
    expect(messages.map(numberOf)).toEqual(upTo(20))
    await opener.close()
  })

  it('five tabs that track at once lose nothing and send nothing twice', async () => {
    const network = await world.network()
    const event = tag('Five Tabs')
    const tabs = []
    for (let n = 0; n < 5; n++) tabs.push(await browser.open(`${network.url}/page`))
    await Promise.all(
      tabs.map((tab, n) =>
        tab.evaluate(
          (event: string, from: number) => {
            for (let i = from; i < from + 100; i++) (window as unknown as PageWindow).slotstream.track(event, { i })
          },
          event,
          n * 100,
        ),
      ),
    )
    await world.arrival(event, 500)
    const messages = await world.sent(event)
    expect(messages.map(numberOf).toSorted((a, b) => a - b)).toEqual(upTo(500))
    expect(new Set(messages.map(({ anonymousId }) => anonymousId)).size).toBe(1)
    expect(new Set(messages.map(({ context }) => context?.seq)).size).toBe(500)
    for (const tab of tabs) await tab.close()
  })

  it('another tab delivers what a tab leaves that is closed while sending', async () => {
    const network = await world.network()
    const event = tag('Left Behind')
    const stays = await browser.open(`${network.url}/page`)
    const goes = await browser.open(`${network.url}/page`)
    network.hold()
    const before = network.attempts.length
    await goes.evaluate((event: string) => {
      for (let i = 0; i < 50; i++) (window as unknown as PageWindow).slotstream.track(event, { i })
    }, event)
    await until(
      'it is sending',
      () => network.attempts.length,
      count => count > before,
    )
    await goes.close()
    network.mend()
    const messages = await world.arrival(event, 50)
    expect(messages.map(numberOf)).toEqual(upTo(50))
    await stays.close()
  })

  it.each(storageFaults)(
    'a page is delivered whose IndexedDB is %s, and sees nothing of it',
    async (name, before, later) => {
      const trouble = `window.trouble = []
      addEventListener('error', ({ message }) => trouble.push(message))
      addEventListener('unhandledrejection', ({ reason }) => trouble.push(String(reason)))`
      const network = await world.network({ '/broken': pageOf(`<script>${trouble}; ${before}</script>${SDK}`) })
      const event = tag(`Storage ${name}`)
      const tab = await browser.open(`${network.url}/broken`)
      const track = (event: string, from: number) => {
        const { slotstream } = window as unknown as PageWindow
        for (let i = from; i < from + 10; i++) slotstream.track(event, { i })
        return slotstream.flush()
      }
      await tab.evaluate(track, event, 0)
      if (later) await tab.evaluate(later)
      await tab.evaluate(track, event, 10)
      const messages = await world.arrival(event, 20)
      expect(messages.map(numberOf)).toEqual(upTo(20))
      // The ledger counts them all: numbers that ascend without doubles, and at least as many captured.
      const numbers = messages.map(({ context }) => context?.seq as number)
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
      const { ledger } = messages[19]!.context as unknown as { ledger: { captured: number } }
      expect(ledger.captured).toBeGreaterThanOrEqual(numbers.at(-1) as number)
      expect(await tab.evaluate(() => (window as unknown as { trouble?: string[] }).trouble ?? [])).toEqual([])
      await tab.close()
    },
  )
})
