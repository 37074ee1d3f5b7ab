import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { createElement as h, StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SlotDecision, SlotItem } from '#sdk/entries/index.js'
import { Slot, SlotstreamProvider } from '#sdk/entries/react.js'
import { launchChromium } from '../support/chromium.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const require = createRequire(import.meta.url)

let system: System
let browser: Browser
let site: Server
let url: string
let folder: string
/** What the server hands over to the next page. */
let decisions: SlotDecision[] = []

/** The page's own module, as one would write it with the built package. */
const PAGE = `
  import { createElement as h, StrictMode } from 'react'
  import { hydrateRoot } from 'react-dom/client'
  import { Slot, SlotstreamProvider } from 'slotstream/react'
  const { options, decisions } = JSON.parse(document.querySelector('#data').textContent)
  const slot = h(Slot, { id: 'hero', fallback: 'Welcome', timeout: 20_000, children: ({ payload }) => h('h1', null, payload.title) })
  hydrateRoot(document.querySelector('#root'), h(StrictMode, null, h(SlotstreamProvider, { options, decisions }, slot)))
`

/** The same on the server. */
function html(): string {
  const children = ({ payload }: SlotItem) => h('h1', null, String(payload.title))
  const props = { id: 'hero', fallback: 'Welcome', timeout: 20_000, children }
  const tree = h(StrictMode, null, h(SlotstreamProvider, { decisions }, h(Slot<Record<string, unknown>>, props)))
  const data = JSON.stringify({ decisions, options: { writeKey: 'demo', endpoint: system.collectorUrl } })
  return `<!doctype html><html lang="en"><title>Shop</title><div id="root">${renderToString(tree)}</div>
    <script type="application/json" id="data">${data.replaceAll('<', '\\u003c')}</script>
    <script type="module" src="/page.js"></script></html>`
}

beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules', '.cache-react-'))
  await writeFile(join(folder, 'page.js'), PAGE)
  const { build } = await import(
    require.resolve('vite', { paths: [root] }).replace(/index\.cjs$/, 'dist/node/index.js')
  )
  // React's development build, which says what does not fit between server and browser.
  await build({
    root: folder,
    mode: 'development',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"development"' },
    build: {
      minify: false,
      outDir: 'out',
      rollupOptions: { input: join(folder, 'page.js'), output: { entryFileNames: '[name].js' } },
    },
  })
  system = await startSystem()
  browser = await launchChromium()
  site = createServer(async (request, response) => {
    const script = request.url?.endsWith('.js')
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html')
    response.end(script ? await readFile(join(folder, 'out', request.url ?? '')) : html())
  })
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
})

afterAll(async () => {
  await browser?.close()
  site?.close()
  await system?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function open() {
  const page = await browser.newPage()
  const errors: string[] = []
  const asked: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  page.on('request', request => request.url().includes('/v1/slots') && asked.push(request.postData() ?? ''))
  await page.goto(url)
  return { page, errors, asked }
}

const viewed = (decisionId: string) =>
  until(
    'the impression is in ClickHouse',
    () =>
      system.query<{ content_id: string }>(
        `SELECT content_id FROM slotstream.events WHERE event = 'Slot Viewed' AND decision_id = '${decisionId}'`,
      ),
    rows => rows.length > 0,
    { timeoutMs: 60_000 },
  )

it('fills a slot that the server rendered with its own content, asking once, and tracks that it was seen', async () => {
  decisions = []
  expect(html()).toContain('<div>Welcome</div>')
  const { page, errors, asked } = await open()
  await page.waitForSelector('#root h1')
  expect(asked).toHaveLength(1)
  const title = await page.textContent('#root h1')
  const [decision] = await until(
    'the decision is in ClickHouse',
    () =>
      system.query<{ decision_id: string; content_ids: string[] }>(
        `SELECT decision_id, content_ids FROM slotstream.decisions WHERE slot_id = 'hero'`,
      ),
    rows => rows.length > 0,
    { timeoutMs: 60_000 },
  )
  expect(title).toBeTruthy()
  expect(await viewed(decision?.decision_id ?? '')).toEqual([{ content_id: decision?.content_ids[0] }])
  expect(errors).toEqual([])
  await page.close()
})

it('keeps what the server chose and rendered, without a second request, and tracks that it was seen', async () => {
  const response = await fetch(`${system.collectorUrl}/v1/slots?writeKey=demo`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ anonymousId: 'from-the-server', slots: [{ id: 'hero' }] }),
  })
  decisions = ((await response.json()) as { decisions: SlotDecision[] }).decisions
  const [decision] = decisions
  expect(decision?.outcome).toBe('served')
  expect(html()).toContain('<h1>')
  const { page, errors, asked } = await open()
  expect(await viewed(decision?.decisionId ?? '')).toEqual([{ content_id: decision?.items[0]?.contentId }])
  expect(asked).toEqual([])
  expect(errors).toEqual([])
  await page.close()
})
