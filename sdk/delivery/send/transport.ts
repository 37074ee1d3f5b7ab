import { bytesOf } from '../../platform/bytes.js'
import type { Reply } from './outcome.js'

/** Sends a body. Resolves undefined when no answer came; never rejects. */
export interface Transport {
  post(path: string, body: string, options?: { keepalive?: boolean; compress?: boolean }): Promise<Reply>
  /** Sends a body that is being compressed as it is, at once: the page ends. */
  skipCompression(): void
  /** Returns the bytes that `keepalive` requests may still carry. */
  keepaliveBudget(): number
}

/**
 * Browsers allow 64 KiB in flight per page (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch); the rest is
 * for others.
 */
const KEEPALIVE_BYTES = 60_000

/** Below this many bytes compressing costs more than it saves: most of a request is then its headers. */
const WORTH_COMPRESSING_BYTES = 2_000

/** After this an attempt counts as failed: a connection that hangs must not block the queue. */
const TIMEOUT_MS = 30_000

/**
 * Posts to the collector. As `text/plain`, with the write key in the URL, so that browsers send it across origins
 * without asking first: a preflight would cost a round trip, and doesn't happen at all when the page ends. For the
 * same reason no header says that a body is compressed: the collector knows gzip by its first bytes.
 *
 * `compress` asks for that, where the browser can; it takes a moment, so not at the end of a page.
 */
export function createTransport(
  endpoint: string,
  writeKey: string,
  credentials: RequestCredentials = 'omit',
): Transport {
  let inFlight = 0
  let skipCompression: () => void
  /** One body at a time is compressed. */
  const skipped = () =>
    new Promise<void>(resolve => {
      skipCompression = resolve
    })
  return {
    skipCompression: () => skipCompression?.(),
    keepaliveBudget: () => KEEPALIVE_BYTES - inFlight,
    async post(path, body, { keepalive, compress } = {}) {
      const packed =
        compress && body.length > WORTH_COMPRESSING_BYTES ? await Promise.race([gzip(body), skipped()]) : undefined
      const bytes = keepalive ? (packed?.byteLength ?? bytesOf(body)) : 0
      if (bytes > KEEPALIVE_BYTES - inFlight) keepalive = false
      const reservedBytes = keepalive ? bytes : 0
      inFlight += reservedBytes
      const abort = new AbortController()
      const timer = setTimeout(() => abort.abort(), TIMEOUT_MS)
      try {
        const response = await fetch(`${endpoint}${path}?writeKey=${encodeURIComponent(writeKey)}`, {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain' },
          body: packed ?? body,
          keepalive: keepalive!,
          credentials,
          signal: abort.signal,
        })
        // Read even when it isn't needed: Chromium counts the request against the 64 KiB until the body is read
        // (https://github.com/open-telemetry/opentelemetry-js/pull/7002).
        const text = await response.text()
        return { status: response.status, retryAfter: response.headers.get('Retry-After'), text }
      } catch {
        return undefined
      } finally {
        clearTimeout(timer)
        inFlight -= reservedBytes
      }
    },
  }
}

/**
 * Compresses a text; undefined where the browser can't. Of a `Response` rather than a `Blob`, which Chromium makes
 * in another process, while the page waits: four times the main thread's work.
 */
async function gzip(text: string): Promise<ArrayBuffer | undefined> {
  try {
    const compressed = new Response(text).body!.pipeThrough(new CompressionStream('gzip'))
    return await new Response(compressed).arrayBuffer()
  } catch {
    return undefined
  }
}
