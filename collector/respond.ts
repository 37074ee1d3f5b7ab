import type { IncomingMessage, ServerResponse } from 'node:http'
import { ERROR_STATUS, type ErrorAnswer } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import { Failure } from './failure.js'

/** How much of a refused body is read and thrown away before the answer, in bytes, and for how long, in milliseconds. */
const DRAIN_BYTES = 32 * 1024 * 1024
const DRAIN_MS = 5_000

/** Seconds after which a client may come again: spread, so that they don't all come at once. */
const RETRY_AFTER_SECONDS = { min: 1, max: 5 }

const JSON_TYPE = 'application/json; charset=utf-8'

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  response.writeHead(status, { 'Content-Type': JSON_TYPE, 'Content-Length': bytes })
  // As text it leaves together with the headers, in one write; ASCII costs less than what may be more.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8')
}

/** Answers what a handler threw. Anything but a Failure is our fault: it is logged and answered without its text. */
export async function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: Log,
): Promise<void> {
  const failure = error instanceof Failure ? error : new Failure('internal', 'something failed on the server')
  if (failure !== error) log.error({ err: error, requestId: response.getHeader('X-Request-Id') }, 'a request failed')
  if (response.headersSent) {
    response.destroy()
    return
  }
  await drain(request)
  if (failure.code === 'too_large' || !request.complete) response.setHeader('Connection', 'close')
  const retryAfter = failure.retryAfter ?? (failure.code === 'unavailable' ? someSeconds() : undefined)
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter)
  const { code, message, details } = failure
  const answer: ErrorAnswer & { error: { details?: string[] } } = {
    error: { code, message, ...(details ? { details } : {}) },
  }
  sendJson(response, ERROR_STATUS[code], answer)
}

function someSeconds(): number {
  const { min, max } = RETRY_AFTER_SECONDS
  return min + Math.floor(Math.random() * (max - min + 1))
}

/**
 * Reads on what nobody wants. A socket that is closed while its client still writes is reset, and the reset overtakes
 * the answer: the client would never learn what was wrong.
 */
function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    let left = DRAIN_BYTES
    const timer = setTimeout(done, DRAIN_MS)
    request.on('data', read).once('end', done).once('close', done).resume()

    function read(chunk: Buffer) {
      left -= chunk.length
      if (left <= 0) done()
    }
    function done() {
      clearTimeout(timer)
      request.off('data', read).off('end', done).off('close', done)
      resolve()
    }
  })
}
