import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { obtainChromium, QUIET_CHROMIUM } from '@slotstream/supervisor'
import { chromium } from 'playwright-core'
import type { BenchOptions } from '../options.js'
import { percentile } from '../support/percentile.js'
import { progressOf } from '../support/progress.js'
import { SITE, startSystem } from '../support/servers/system.js'
import { SHOP, SLOT_ID } from '../support/shop.js'
import { markdownTable, milliseconds } from '../support/table.js'
import { type FirstView, firstView } from './first-view.js'

/** A good phone's processor, and about a cheap one's. */
const SLOWDOWNS = [1, 4]

/** Round trip of every request, in milliseconds. */
const LATENCY_MS = 100

/** Time after the request for slots within which a view counts as filled, in milliseconds. */
const IN_TIME_MS = 300

const done = progressOf('first-views')

/**
 * Measures how many first views get their slots in time, in a real Chromium on a slow network: of a page with the plain
 * script tag, on an origin of its own and with the styles that the documentation recommends, and of the demo shop. Each
 * view is in a browser without cache or storage.
 */
export async function benchFirstViews({ views: count }: Pick<BenchOptions, 'views'>): Promise<string> {
  const system = await startSystem()
  const executablePath = await obtainChromium({ dataDir: join(tmpdir(), 'slotstream-tools'), log: console.log })
  const browser = await chromium.launch({ executablePath, args: QUIET_CHROMIUM })
  const site = await startSite(pageWith(await recipe(), system.collectorUrl))
  try {
    await system.putCatalog(SHOP)
    const pages = { 'a page with one slot': site.url, 'the demo shop': `${system.collectorUrl}/demo/` }
    const rows: string[][] = []
    for (const slowdown of SLOWDOWNS)
      for (const [name, url] of Object.entries(pages)) {
        const it = { url, latencyMs: LATENCY_MS, slowdown }
        // The first view of all warms up the system, not the browser.
        await firstView(browser, it)
        const views: FirstView[] = []
        for (let view = 0; view < count; view++) {
          views.push(await firstView(browser, it))
          done(`${name}, ×${slowdown}, view ${view + 1}: ${JSON.stringify(views.at(-1))}`)
        }
        rows.push([`${name}, processor ÷ ${slowdown}`, ...cells(views)])
      }
    return `## First views: ${LATENCY_MS} ms of latency, cold cache, ${count} views each\n\n${markdownTable(HEADER, rows)}`
  } finally {
    await browser.close()
    site.stop()
    await system.stop()
  }
}

const HEADER = ['', 'served in time', 'asked after ms', 'filled after ms, p50', 'p95', 'largest shift']

function cells(views: FirstView[]): string[] {
  const inTime = views.filter(
    ({ states, filledMs }) => filledMs <= IN_TIME_MS && states.length > 0 && states.every(state => state === 'served'),
  )
  const filled = views.map(({ filledMs }) => filledMs)
  return [
    `${inTime.length} of ${views.length}`,
    milliseconds(
      percentile(
        views.map(({ askedMs }) => askedMs),
        0.5,
      ),
    ),
    milliseconds(percentile(filled, 0.5)),
    milliseconds(percentile(filled, 0.95)),
    Math.max(...views.map(({ cls }) => cls)).toFixed(4),
  ]
}

/** Returns the styles of the SDK's documentation. */
async function recipe(): Promise<string> {
  const text = await readFile(new URL('../../../docs/sdk.md', import.meta.url), 'utf8')
  return /```css\n(.*?)```/s.exec(text)?.[1] ?? ''
}

const pageWith = (css: string, collectorUrl: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title><style>${css}</style>
<script async src="${collectorUrl}/sdk.js" data-write-key="${SITE}"></script></head>
<body><h1>Shop</h1><section data-slot="${SLOT_ID}"><p>What all visitors see</p>
<template data-slot-template><h2 data-text="title"></h2><a data-attr="href:href">More</a></template></section>
<p>${'Goods for out there and back home. '.repeat(200)}</p></body></html>`

async function startSite(html: string) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(html)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
