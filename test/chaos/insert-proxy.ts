import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Treatment of inserts: `refuse` them as an overloaded ClickHouse does, or carry them out and `lose` the answer. */
export type ProxyMode = 'open' | 'refuse' | 'lose'

/** Starts a proxy between a warehouse writer and ClickHouse. */
export async function startInsertProxy(clickhousePort: number) {
  let mode: ProxyMode = 'open'
  let met = 0
  const server = createServer((incoming, outgoing) => {
    const insert = isInsert(incoming)
    if (insert && mode !== 'open') met++
    if (insert && mode === 'refuse') {
      incoming.resume()
      outgoing.writeHead(500, { 'X-ClickHouse-Exception-Code': '252' })
      outgoing.end('Code: 252. DB::Exception: Too many parts. Merges are slower than inserts. (TOO_MANY_PARTS)\n')
      return
    }
    const forwarded = request(
      {
        host: '127.0.0.1',
        port: clickhousePort,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      answer => {
        if (insert && mode === 'lose') {
          incoming.socket.destroy()
          answer.resume()
          return
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    forwarded.on('error', () => outgoing.destroy())
    outgoing.on('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    set(next: ProxyMode) {
      mode = next
    },
    /** Inserts that were rejected or whose answer was lost. */
    met: () => met,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export type InsertProxy = Awaited<ReturnType<typeof startInsertProxy>>

/** The client sends the statement of an insert in the address, and the rows in the body. */
function isInsert({ url = '' }: IncomingMessage): boolean {
  return /^\s*INSERT/i.test(new URL(url, 'http://clickhouse').searchParams.get('query') ?? '')
}
