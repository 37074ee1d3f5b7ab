import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClickHouseException, toClickHouseException } from '../errors.js'
import { corsHeaders, type PageRules, refuseForeignPages, SAFE_HEADERS } from './web-pages.js'

/** Node leaves out headers behind the 2,000th, in silence, and a proxy's may be among them: so it leaves out none. */
const MAX_HEADERS = 200

export interface AdmitDeps {
  pages: PageRules
  /** Resolves to whether the engine answers now. */
  isAlive: () => Promise<boolean>
  /** Answers a request that is rejected for what it says of its page. */
  refuse: (request: IncomingMessage, response: ServerResponse, exception: ClickHouseException) => void
}

/**
 * Answers a request that is none for a query: of health, of a browser that asks what it may, of another path or method,
 * or of a page that may not query. Sets the headers that every answer has. Returns whether it is one for a query.
 */
export async function admit(
  request: IncomingMessage,
  response: ServerResponse,
  { pages, isAlive, refuse }: AdmitDeps,
): Promise<boolean> {
  const path = (request.url ?? '/').split('?', 1)[0]
  for (const [name, value] of SAFE_HEADERS) response.setHeader(name, value)
  response.setHeader('X-ClickHouse-Server-Display-Name', 'slotstream')
  if (request.rawHeaders.length > MAX_HEADERS * 2) return dismiss(request, response, 431)
  if (hasTwoHosts(request)) return dismiss(request, response, 400, 'The request names two hosts\n')
  if (path === '/ping' || path === '/replicas_status') {
    const isUp = await isAlive()
    return dismiss(request, response, isUp ? 200 : 503, isUp ? 'Ok.\n' : 'The engine does not answer\n')
  }
  try {
    refuseForeignPages(request.headers, pages)
  } catch (error) {
    refuse(request, response, toClickHouseException(error))
    return false
  }
  const cors = corsHeaders(request.headers, pages)
  for (const [name, value] of cors ?? []) response.setHeader(name, value)
  if (cors && request.method === 'OPTIONS') return dismiss(request, response, 204)
  if (path !== '/') return dismiss(request, response, 404, 'There is no such handle\n')
  if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) return dismiss(request, response, 405)
  return true
}

/** Answers a request whose body isn't read; where there is one, nothing would look at how slowly it comes. */
function dismiss({ headers }: IncomingMessage, response: ServerResponse, status: number, text = ''): false {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  if (hasBody || status === 400) response.shouldKeepAlive = false
  response.writeHead(status).end(text)
  return false
}

/** Tells whether the host stands twice: Node takes the first, a proxy in front may take the last. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length > 1
}
