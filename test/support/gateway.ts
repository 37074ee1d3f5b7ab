import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A page, or another file, that the gateway serves beside what the collector does. */
export interface ServedPage {
  /** Its text: HTML, unless a header says otherwise. */
  html: string
  headers?: Record<string, string>
}

/** What a fault answers in the collector's place. */
export interface Refusal {
  status: number
  headers?: Record<string, string>
  body?: string
}

/**
 * Stands between a browser and the collector, as a network does. While it is cut, pages and scripts still load, as
 * from a cache or a service worker, and everything to the API breaks off without an answer. (A browser's own offline
 * switch does not cover the requests that outlive a page.)
 *
 * @param pages what it serves itself, by path
 */
export async function startGateway(collectorUrl: string, pages: Record<string, ServedPage> = {}) {
  let cut = false
  let held = false
  let waiting: IncomingMessage[] = []
  let answersToLose = 0
  let lost = 0
  let refusal: Refusal | undefined
  let pause = 0
  const attempts: { path: string; at: number }[] = []
  const marks: string[] = []
  const { hostname, port } = new URL(collectorUrl)

  /** Counts a request to the API, and deals with it if a fault is on. */
  const interfere = (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    attempts.push({ path: incoming.url ?? '', at: Date.now() })
    if (cut) incoming.socket.destroy()
    else if (refusal) {
      const { status, headers, body } = refusal
      // Read to its end first: a browser that is still sending would see a broken connection.
      incoming.resume().on('end', () => outgoing.writeHead(status, { ...cors, ...headers }).end(body))
    } else if (held) waiting.push(incoming)
    else return false
    return true
  }
  const server = createServer((incoming, outgoing) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?')
    const page = pages[path]
    if (page) {
      outgoing.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...page.headers }).end(page.html)
      return
    }
    if (path === '/mark') {
      marks.push(decodeURIComponent(query))
      outgoing.writeHead(204, cors).end()
      return
    }
    const api = path.startsWith('/v1/')
    if (api && interfere(incoming, outgoing)) return
    const forwarded = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      answer => {
        if (answersToLose > 0 && api) {
          answersToLose--
          lost++
          incoming.socket.destroy()
          return
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        if (pause && answer.headers['content-type']?.startsWith('text/html')) trickle(answer, outgoing, pause)
        else answer.pipe(outgoing)
      },
    )
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Requests to the API so far, whatever became of them. */
    attempts,
    /** What pages reported by `fetch('/mark?…')`. */
    marks,
    cut() {
      cut = true
    },
    /** Leaves requests to the API without an answer, and forwards none. */
    hold() {
      held = true
    },
    /** Answers requests to the API itself. */
    refuse(answer: Refusal) {
      refusal = answer
    },
    /** Passes pages on in small pieces, as a slow network does. */
    trickle(pauseMs = 40) {
      pause = pauseMs
    },
    /** Ends all of these. What was held breaks off. */
    mend() {
      cut = held = false
      pause = 0
      refusal = undefined
      for (const { socket } of waiting) socket.destroy()
      waiting = []
    },
    /** The next requests to the API reach the collector, but their answers are lost. */
    loseAnswer(count = 1) {
      answersToLose += count
    },
    /** Answers that were lost so. */
    lost: () => lost,
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>

/** Characters of a piece. */
const PIECE = 400

async function trickle(answer: IncomingMessage, outgoing: ServerResponse, pauseMs: number): Promise<void> {
  const page = await text(answer)
  for (let at = 0; at < page.length; at += PIECE) {
    outgoing.write(page.slice(at, at + PIECE))
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  outgoing.end()
}

const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' }
