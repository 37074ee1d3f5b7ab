import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, CDPSession } from 'playwright-core'

/** A page that a visitor sees for the first time, on a cheap phone or not. */
export interface FirstViewCase {
  url: string
  /** Round trip of every request, in milliseconds. */
  latencyMs: number
  /** How many times slower the processor is. */
  slowdown: number
}

/** How one first view went. */
export interface FirstView {
  /** States that the slots of the page ended in. */
  states: string[]
  /** From the beginning of the page to the request for slots, in milliseconds; NaN when there was none. */
  askedMs: number
  /** From the request for slots to the last slot's state, in milliseconds. */
  filledMs: number
  /** Cumulative layout shift. */
  cls: number
}

/** Longest wait for the slots of a page, in milliseconds; and between two looks at them. */
const PATIENCE_MS = 20_000
const LOOK_MS = 500

/** Processor time that an idle browser takes at most between two looks at it, in milliseconds. */
const IDLE_MS = 30

/** Runs in the page from its first moment. As text, because this project's types know no browser. */
const NOTE = `
  window.noted = { settled: 0, shift: 0 }
  new MutationObserver(() => { noted.settled = performance.now() })
    .observe(document, { subtree: true, attributeFilter: ['data-slot-state'] })
  new PerformanceObserver(list => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) noted.shift += value
  }).observe({ type: 'layout-shift', buffered: true })`

const IS_SETTLED = `document.readyState === 'complete' && !document.querySelector('[data-slot]:not([data-slot-state])')`

/** Reads what was noted, when shifts of the last frame are told. */
const READ = `(async () => {
  const { settled } = noted
  for (let frame = 0; frame < 3; frame++) await new Promise(resolve => requestAnimationFrame(resolve))
  await new Promise(resolve => setTimeout(resolve, 500))
  const { startTime } = performance.getEntriesByType('resource').find(({ name }) => name.includes('/v1/slots')) ?? {}
  return {
    states: [...document.querySelectorAll('[data-slot]')].map(({ dataset }) => dataset.slotState),
    askedMs: startTime,
    filledMs: settled - startTime,
    cls: noted.shift,
  }
})()`

/** Opens a page in a browser without cache or storage, and waits until its slots are settled and painted. */
export async function firstView(browser: Browser, { url, latencyMs, slowdown }: FirstViewCase): Promise<FirstView> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: latencyMs,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
    await idle(browser)
    await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
    await page.addInitScript(NOTE)
    await page.goto(url)
    await settled(session)
    return await page.evaluate<FirstView>(READ)
  } finally {
    await context.close()
  }
}

/**
 * Waits until the slots of a page are settled. Looks itself: `page.waitForFunction` evaluates a large script of its own
 * in the page, which takes 200 ms of the time that is measured where the processor is slowed four times.
 *
 * @throws Error when they are not in time
 */
async function settled(session: CDPSession): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(LOOK_MS)) {
    const { result } = await session.send('Runtime.evaluate', { expression: IS_SETTLED, returnByValue: true })
    if (result.value === true) return
  }
  throw new Error(`slots of the page are not settled within ${PATIENCE_MS} ms`)
}

/**
 * Waits until the browser has opened the page's window: that takes a process of its own up to a second of processor
 * time, beside a renderer that, slowed, keeps a core busy.
 *
 * @throws Error when it isn't idle in time
 */
async function idle(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession()
  const usedMs = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0)
  }
  try {
    let before = await usedMs()
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
      await sleep(LOOK_MS)
      const now = await usedMs()
      if (now - before < IDLE_MS) return
      before = now
    }
  } finally {
    await session.detach()
  }
  throw new Error(`the browser is not idle within ${PATIENCE_MS} ms`)
}
