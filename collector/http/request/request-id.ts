import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const PLAUSIBLE = /^[\w.:/+=-]{1,128}$/
const PROCESS = randomBytes(6).toString('base64url')
let n = 0

/** Returns the id of a request: that which a proxy gave it in `X-Request-Id`, or a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const proxyId = request.headers['x-request-id']
  return typeof proxyId === 'string' && PLAUSIBLE.test(proxyId) ? proxyId : `${PROCESS}-${(n++).toString(36)}`
}
