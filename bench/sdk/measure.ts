import type { Browser } from 'playwright-core'
import type { Bundle } from './pages.js'
import type { Received, startSink } from './sink.js'

export interface Measured extends Received {
  /** Running the script and starting the SDK, in milliseconds. */
  loadMs: number
  /** The same and the task after, in which an SDK may do what it put off, in milliseconds. */
  startMs: number
  /** How long a task that tracks 1,000 events takes, in milliseconds. */
  blockingMs: number
  /** Work of the main thread in the six seconds after, in milliseconds. */
  afterMs: number
}

export const EVENTS = 1_000

/** An SDK may ask its server for something before it begins: it gets this long, in milliseconds. */
const SETTLE_MS = 2_000

const AFTER_MS = 6_000

/** Requests and bytes count until then, in milliseconds after the events. */
const ARRIVAL_MS = 10_000

/** Runs in the page. As text, because this project's types know no browser. */
const LOAD = `async (code, origin) => {
  const script = document.createElement('script')
  script.textContent = code + ';window.sdk = sdk'
  const start = performance.now()
  document.head.append(script)
  window.sdk.start(origin)
  const loaded = performance.now()
  await new Promise(resolve => setTimeout(resolve))
  return [loaded - start, performance.now() - start]
}`

const TRACK = `count => {
  const start = performance.now()
  for (let i = 0; i < count; i++)
    window.sdk.track('Product Viewed', { product_id: 'sku-' + i, category: 'Shoes', price: 79.9, position: i })
  return performance.now() - start
}`

/** Measures one SDK on a fresh page of a fresh visitor. `slowdown`: how many times slower the processor is made. */
export async function measure(
  browser: Browser,
  sink: Awaited<ReturnType<typeof startSink>>,
  { code }: Bundle,
  slowdown: number,
): Promise<Measured> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(`${sink.url}/page`)
    const devtools = await context.newCDPSession(page)
    await devtools.send('Performance.enable')
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
    const taskMs = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics')
      return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1_000
    }
    const call = <T>(source: string, ...args: unknown[]) =>
      page.evaluate(`(${source})(...${JSON.stringify(args)})`) as Promise<T>

    const [loadMs, startMs] = await call<[number, number]>(LOAD, code, sink.url)
    await page.waitForTimeout(SETTLE_MS)
    sink.reset()
    const blockingMs = await call<number>(TRACK, EVENTS)
    const before = await taskMs()
    await page.waitForTimeout(AFTER_MS)
    const afterMs = (await taskMs()) - before
    await page.waitForTimeout(ARRIVAL_MS - AFTER_MS)
    return { loadMs, startMs, blockingMs, afterMs, ...sink.received() }
  } finally {
    await context.close()
  }
}
