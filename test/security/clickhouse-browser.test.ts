import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { type Running, start, stopAll } from '../support/embedded-server.js'

/** What a page would run if it got in: valid SQL whose result is a program. */
const PROGRAM = "SELECT 'globalThis.stolen = 1' FORMAT TSVRaw"

let folder: string
let running: Running
let browser: Browser
let pages: Server
let allowed: Server
let log = ''

async function servePages(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>a page</title><body></body>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** How many requests the server rejected to web pages so far. */
const refusals = (): number => log.match(/"code":497/g)?.length ?? 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-browser-'))
  pages = await servePages()
  allowed = await servePages()
  running = await start(join(folder, 'clickhouse'), {
    DATA_DIR: folder,
    CLICKHOUSE_ALLOWED_ORIGINS: `http://127.0.0.1:${portOf(allowed)}`,
  })
  running.process.stdout?.on('data', chunk => {
    log += chunk
  })
  // As a rebound name does: all of these are this machine.
  const rules = ['evil.example', 'rebound.example', hostname()].map(name => `MAP ${name} 127.0.0.1`).join(', ')
  browser = await launchChromium([`--host-resolver-rules=${rules}`])
})

afterAll(async () => {
  await browser?.close()
  await stopAll()
  for (const server of [pages, allowed]) server?.close()
  rmSync(folder, { recursive: true, force: true })
})

/**
 * Makes the browser of a page send a request in each way there is but by leaving the page, all at once.
 *
 * @returns what the page could read
 */
function tryAllWays(page: Page, url: string): Promise<unknown[]> {
  return page.evaluate(async target => {
    const load = (tag: string, attributes: object) =>
      new Promise(resolve => {
        const element = Object.assign(document.createElement(tag), attributes)
        element.onload = () => resolve('loaded')
        element.onerror = () => resolve('failed')
        document.body.append(element)
      })
    const frame = Object.assign(document.createElement('iframe'), { name: 'f' })
    const field = Object.assign(document.createElement('input'), { name: 'SELECT 1 --', value: 'x' })
    const form = Object.assign(document.createElement('form'), {
      method: 'post',
      enctype: 'text/plain',
      action: target,
    })
    form.target = 'f'
    form.append(field)
    document.body.append(frame, form)
    form.submit()
    // Their events come late or never.
    void load('video', { src: target })
    void load('iframe', { src: target })
    return Promise.all([
      load('script', { src: target }),
      load('script', { src: target, type: 'module' }),
      load('script', { src: target, referrerPolicy: 'no-referrer' }),
      load('img', { src: target }),
      load('link', { rel: 'stylesheet', href: target }),
      fetch(target, { mode: 'no-cors' }).then(
        answer => answer.text(),
        () => 'failed',
      ),
      fetch(target).then(
        answer => answer.text(),
        () => 'failed',
      ),
      fetch(target, { mode: 'no-cors', method: 'POST', body: 'SELECT 1' }).then(
        answer => answer.text(),
        () => 'failed',
      ),
      navigator.sendBeacon(target, 'SELECT 1'),
    ])
  }, url)
}

/** Requests of tryAllWays. */
const WAYS = 12

describe('a page of another origin', () => {
  it.each([
    ['evil.example', 'localhost'],
    // A browser tells nothing of the page to a name that isn't loopback's own.
    ['evil.example', hostname().toLowerCase()],
    ['localhost', '127.0.0.1'],
  ])('at %s gets nothing in, nor out, at %s, in whatever way', async (from, host) => {
    const target = `http://${host}:${new URL(running.url).port}/?query=${encodeURIComponent(PROGRAM)}`
    const statuses: number[] = []
    const page = await browser.newPage()
    page.on('response', answer => answer.url() === target && statuses.push(answer.status()))
    await page.goto(`http://${from}:${portOf(pages)}/`)
    const before = refusals()
    const read = await tryAllWays(page, target)
    await expect.poll(() => refusals() - before, { timeout: 30_000 }).toBeGreaterThanOrEqual(WAYS)
    expect(String(read)).not.toContain('stolen')
    expect(await page.evaluate('globalThis.stolen')).toBeUndefined()
    await page.evaluate(url => location.assign(url), target)
    await expect.poll(() => refusals() - before, { timeout: 30_000 }).toBeGreaterThan(WAYS)
    expect(statuses.filter(status => status !== 403)).toEqual([])
    await page.close()
  })

  it('whose name is rebound to this machine is served nothing', async () => {
    const page = await browser.newPage()
    const answer = await page.goto(`http://rebound.example:${new URL(running.url).port}/?query=SELECT+1`)
    expect([answer?.status(), await page.content()]).toEqual([403, expect.stringContaining('ALLOWED_HOSTS')])
    await page.close()
  })
})

describe('a browser', () => {
  it('shows the answer to what its user types', async () => {
    const page = await browser.newPage()
    await page.goto(`http://localhost:${new URL(running.url).port}/?query=SELECT+'typed'+FORMAT+Vertical`)
    expect(await page.content()).toContain('typed')
    await page.close()
  })

  it('lets a page of an allowed origin ask, and read', async () => {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${portOf(allowed)}/`)
    const read = await page.evaluate(async url => {
      const options = { method: 'POST', body: "SELECT 'read'", headers: { 'X-ClickHouse-Format': 'JSONEachRow' } }
      return (await fetch(url, options)).text()
    }, `${running.url}/`)
    expect(read).toContain('read')
    await page.close()
  })
})
