import type { IncomingMessage, ServerResponse } from 'node:http'
import { ERROR_STATUS, type ErrorAnswer } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import { Failure } from './failure.js'

/**
 * How long a rejected body may take to arrive before the answer, in milliseconds, so that its connection can be kept.
 * A longer one is answered at once.
 */
const DRAIN_BEFORE_MS = 50

/** How much of a rejected body is read and thrown away in all, in bytes, and for how long, in milliseconds. */
const DRAIN_BYTES = 32 * 1024 * 1024
const DRAIN_MS = 5_000

/** Seconds after which a client may come again: spread, so that they don't all come at once. */
const RETRY_AFTER_SECONDS = { min: 1, max: 5 }

const JSON_TYPE = 'application/json; charset=utf-8'

/** @param ends whether the answer is all: otherwise `response.end` is still to be called. Default: it is */
export function sendJson(response: ServerResponse, status: number, body: object, ends = true): void {
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  response.writeHead(status, { 'Content-Type': JSON_TYPE, 'Content-Length': bytes })
  // As text it leaves together with the headers, in one write; ASCII costs less than what may be more.
  const encoding = bytes === text.length ? 'latin1' : 'utf8'
  if (ends) response.end(text, encoding)
  else response.write(text, encoding)
}

/**
 * Returns the answer to an error. Anything but a Failure is a fault of the collector: it is logged, and its text is not
 * sent.
 */
export function failureOf(response: ServerResponse, error: unknown, log: Log): Failure {
  if (error instanceof Failure) return error
  log.error({ err: error, requestId: response.getHeader('X-Request-Id') }, 'a request failed')
  return new Failure('internal', 'something failed on the server')
}

/** Answers what a handler threw. */
export async function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: Log,
): Promise<void> {
  const failure = failureOf(response, error, log)
  if (response.headersSent) {
    response.destroy()
    return
  }
  let left = DRAIN_BYTES
  await drain(DRAIN_BEFORE_MS)
  if (failure.code === 'too_large' || !request.complete) response.setHeader('Connection', 'close')
  const retryAfter = failure.retryAfter ?? (failure.code === 'unavailable' ? someSeconds() : undefined)
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter)
  const { code, message, details } = failure
  const answer: ErrorAnswer & { error: { details?: string[] } } = {
    error: { code, message, ...(details ? { details } : {}) },
  }
  if (request.complete || request.destroyed) return sendJson(response, ERROR_STATUS[code], answer)
  // The client has its answer before it has sent its body, and the connection ends when it is done or takes too long.
  sendJson(response, ERROR_STATUS[code], answer, false)
  await drain(DRAIN_MS)
  response.end()

  /**
   * Reads on what is not wanted. A socket that is closed while its client still writes is reset, and the reset
   * overtakes the answer: the client would never learn what was wrong (RFC 9112, section 9.6).
   */
  function drain(ms: number): Promise<void> {
    if (request.complete || request.destroyed) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(done, ms)
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
}

function someSeconds(): number {
  const { min, max } = RETRY_AFTER_SECONDS
  return min + Math.floor(Math.random() * (max - min + 1))
}
