import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Stands between a browser and the collector, as a network does. While it is cut, pages and scripts still load, as
 * from a cache or a service worker, and everything to the API breaks off without an answer. (A browser's own offline
 * switch does not cover the requests that outlive a page.)
 */
export async function startGateway(collectorUrl: string) {
  let cut = false
  let answersToLose = 0
  const server = createServer((incoming, outgoing) => {
    if (cut && incoming.url?.startsWith('/v1/')) {
      incoming.socket.destroy()
      return
    }
    const { hostname, port } = new URL(collectorUrl)
    const forwarded = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      answer => {
        if (answersToLose > 0 && incoming.url?.startsWith('/v1/')) {
          answersToLose--
          incoming.socket.destroy()
          return
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      cut = true
    },
    mend() {
      cut = false
    },
    /** The next request to the API reaches the collector, but its answer is lost. */
    loseAnswer() {
      answersToLose++
    },
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
