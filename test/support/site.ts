import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A page of a website: HTML, and headers beside its type. */
export interface SitePage {
  html: string
  headers?: Record<string, string>
}

/** A website of its own origin, as the owners of websites have: the collector is another one. */
export async function startSite(pages: Record<string, SitePage>) {
  const server = createServer((request, response) => {
    const page = pages[(request.url ?? '').split('?')[0] ?? '']
    if (!page) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...page.headers }).end(page.html)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    /** Under one name and under another, which to a browser are two sites. */
    url: `http://127.0.0.1:${port}`,
    otherUrl: `http://localhost:${port}`,
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
