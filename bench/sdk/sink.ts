import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** Messages that arrived since the last `reset`. */
export interface Received {
  requests: number
  /** Of the bodies, as they were sent. */
  bytes: number
  /** Messages in them. */
  events: number
}

/** Starts a server that takes what any of the SDKs posts, and answers as theirs does when all is well. */
export async function startSink() {
  const received: Received = { requests: 0, bytes: 0, events: 0 }
  const server = createServer(async (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*')
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '*')
    const { pathname } = new URL(request.url ?? '/', 'http://sink')
    const part = /^\/sdk\/([\w-]+\.js)$/.exec(pathname)?.[1]
    if (part) {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(await readFile(fileURLToPath(new URL(`../../../sdk/dist/${part}`, import.meta.url))).catch(() => ''))
      return
    }
    if (request.method !== 'POST') {
      const html = pathname === '/page'
      response.setHeader('Content-Type', html ? 'text/html' : 'application/json')
      response.end(html ? '<!doctype html><title>Bench</title><p>A page.' : SETTINGS)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const events = countEvents(body)
    received.requests++
    received.bytes += body.length
    received.events += events
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ success: true, status: 1, accepted: events, rejected: [] }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => ({ ...received }),
    reset: () => void Object.assign(received, { requests: 0, bytes: 0, events: 0 }),
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Settings that Segment's library asks its CDN for; other clients get by with them. */
const SETTINGS = JSON.stringify({ integrations: { 'Segment.io': { apiKey: 'demo' } } })

function countEvents(body: Buffer): number {
  const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString()
  try {
    const value = JSON.parse(text)
    const list = Array.isArray(value) ? value : (value.batch ?? value.data)
    return Array.isArray(list) ? list.length : 1
  } catch {
    return 1
  }
}
