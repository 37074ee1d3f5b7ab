import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { checkHost, createPublicLookup, RefusedUrl } from './public-lookup.js'

/** Bytes of an answer that are read, so that its connection can be used again; of a longer one it is closed. */
const MAX_ANSWER_BYTES = 16 * 1024

/** Connections that stay open without a request, and for how long, in milliseconds. */
const MAX_FREE = 64
const IDLE_MS = 15_000

/** Longest `Retry-After` that is understood, in seconds. */
const MAX_RETRY_AFTER_S = 86_400

/** Result of a request. */
export interface SendResult {
  /** HTTP status; 0: there was no answer. */
  status: number
  /** Reason why it is no success, '' for none: a code, which repeats nothing of the answer. */
  error: string
  /** Pause that the answer asks for, in milliseconds; 0: none. */
  retryAfterMs: number
}

/** Sends requests to webhooks. */
export interface Sender {
  /** Resolves in any case. @param signal ends the request at once */
  send(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<SendResult>
  close(): void
}

export interface SenderOptions {
  /** Time that the status of an answer may take, in milliseconds. */
  timeoutMs: number
  /** True if URLs without TLS and IP addresses of private networks are permitted. */
  allowPrivate: boolean
  /** Looks up the address of a host. Default: only public ones are found, unless private ones are permitted */
  lookup?: ReturnType<typeof createPublicLookup>
}

/**
 * Creates the sender of requests to URLs that others chose. It follows no redirect, whose target could be anywhere,
 * reads little of an answer, and connects to public addresses only.
 */
export function createSender({ timeoutMs, allowPrivate, lookup }: SenderOptions): Sender {
  const options = { keepAlive: true, maxFreeSockets: MAX_FREE, timeout: IDLE_MS, scheduling: 'lifo' as const }
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  const find = lookup ?? (allowPrivate ? undefined : createPublicLookup())

  function open(url: URL, headers: Record<string, string>, signal: AbortSignal) {
    const isTls = url.protocol === 'https:'
    if (!isTls && !(allowPrivate && url.protocol === 'http:'))
      throw new RefusedUrl('https_required', 'https:// is required')
    if (!allowPrivate) checkHost(url.hostname)
    const request = isTls ? httpsRequest : httpRequest
    return request(url, {
      method: 'POST',
      agent: isTls ? agents['https:'] : agents['http:'],
      headers,
      signal,
      ...(find && { lookup: find }),
    })
  }

  /**
   * Sends a request, once more where its connection was closed: one that stayed open may be closed by its server in
   * that moment, which says nothing about the webhook.
   */
  async function answerTo(url: URL, headers: Record<string, string>, body: string, signal: AbortSignal) {
    const request = open(url, headers, signal)
    try {
      return await finish(request, body)
    } catch (error) {
      if (!request.reusedSocket || codeOf(error) !== 'econnreset') throw error
      return await finish(open(url, headers, signal), body)
    }
  }

  return {
    async send(url, headers, body, ending) {
      const late = AbortSignal.timeout(timeoutMs)
      try {
        const answer = await answerTo(new URL(url), headers, body, AbortSignal.any([late, ending]))
        const { statusCode = 0 } = answer
        drain(answer)
        const isTaken = statusCode >= 200 && statusCode < 300
        return { status: statusCode, error: isTaken ? '' : `status_${statusCode}`, retryAfterMs: retryAfterOf(answer) }
      } catch (error) {
        return { status: 0, error: late.aborted ? 'timeout' : codeOf(error), retryAfterMs: 0 }
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

function finish(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // Also after the answer: what breaks then changes nothing.
    request.on('error', reject)
    request.end(body)
  })
}

/** Reads a short answer to its end; the connection of a longer one is closed. */
function drain(answer: IncomingMessage): void {
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) answer.destroy()
  })
  answer.on('error', () => {})
}

function retryAfterOf({ headers }: IncomingMessage): number {
  const text = headers['retry-after'] ?? ''
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  return Math.min(seconds, MAX_RETRY_AFTER_S) * 1_000
}

/** Returns the code of an error of ours, of Node or of OpenSSL, in lower case, such as `econnrefused`. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code.toLowerCase() : 'failed'
}
