import { setTimeout as pause } from 'node:timers/promises'
import type {
  Batch,
  BatchAnswer,
  Content,
  DecisionRecord,
  ErrorAnswer,
  Rejection,
  Site,
  Slot,
} from '@slotstream/protocol'
import { ReplayError } from './errors.js'
import { type Attempt, retryAfterMs, withRetry } from './retry.js'

/** How long one request may take, in milliseconds. After that it is sent again; the pipeline knows it by its ids. */
const REQUEST_TIMEOUT_MS = 30_000

/** Answer of the import route. */
export interface ImportAnswer {
  imported: number
  rejected: { index?: number; reason: string }[]
}

/** Answer of the route that takes rejected messages once more. */
export interface ReplayAnswer {
  accepted: number
  rejected: Rejection[]
}

/** A site as the admin API takes it. */
export interface NewSite extends Omit<Site, 'secretKeyHashes' | 'identitySecret'> {
  secretKeys?: string[]
}

/** A site as the admin API shows it, as far as a replay looks at it. */
export interface ListedSite extends Pick<Site, 'siteId' | 'writeKeys'> {
  secretKeyFingerprints?: string[]
}

export interface ClientOptions {
  /** Base URL of the collector. */
  collector: string
  writeKey: string
  adminToken: string
  fetch?: typeof globalThis.fetch
  sleep?: (ms: number) => Promise<void>
  random?: () => number
}

/**
 * Creates a client of the collector's HTTP interface, as far as a replay needs it. Every call is safe to repeat, and is
 * repeated.
 */
export function createClient({
  collector,
  writeKey,
  adminToken,
  fetch = globalThis.fetch,
  sleep = pause,
  random = Math.random,
}: ClientOptions) {
  const admin = `Bearer ${adminToken}`
  const basic = (key: string) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`

  async function call<T>(method: string, path: string, authorization: string, body?: object): Promise<T> {
    const text = body && JSON.stringify(body)
    return withRetry(`${method} ${collector}${path}`, () => attempt<T>(method, path, authorization, text), {
      sleep,
      random,
    })
  }

  async function attempt<T>(method: string, path: string, Authorization: string, body?: string): Promise<Attempt<T>> {
    let response: Response
    let text: string
    try {
      response = await fetch(`${collector}${path}`, {
        method,
        headers: { Authorization, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      })
      text = await response.text()
    } catch (error) {
      return { ok: false, reason: `no answer (${causeOf(error)}). Is the system running? npm start` }
    }
    if (response.ok) return { ok: true, value: JSON.parse(text) as T }
    const reason = `${response.status} ${errorIn(text)}`
    if (!mayPass(response.status, path)) throw new ReplayError(`${method} ${collector}${path} was rejected: ${reason}`)
    const wait = retryAfterMs(response.headers.get('Retry-After'), Date.now())
    if (wait === undefined) return { ok: false, reason }
    return { ok: false, reason, retryAfterMs: wait, isPaced: response.status === 429 }
  }

  return {
    listSites: () => call<{ sites: ListedSite[] }>('GET', '/v1/admin/sites', admin),
    putSite: (site: NewSite) => call('PUT', `/v1/admin/sites/${site.siteId}`, admin, site),
    putCatalog: (siteId: string, catalog: { slots: Slot[]; content: Content[] }) =>
      call('POST', `/v1/admin/sites/${siteId}/catalog`, admin, catalog),
    importDecisions: (siteId: string, decisions: DecisionRecord[]) =>
      call<ImportAnswer>('POST', `/v1/admin/sites/${siteId}/decisions/import`, admin, { decisions }),
    replayRejected: (siteId: string, body: { messages: object[]; dryRun: boolean }) =>
      call<ReplayAnswer>('POST', `/v1/admin/sites/${siteId}/rejected/replay`, admin, body),
    /** @param key a secret key. Default: the write key */
    sendBatch: (batch: Batch, key = writeKey) => call<BatchAnswer>('POST', '/v1/batch', basic(key), batch),
  }
}

export type Client = ReturnType<typeof createClient>

/**
 * Tells whether the same request may succeed later. One that names a new site or its write key may: where there are
 * several collectors, each learns of a site a moment after it was made.
 */
function mayPass(status: number, path: string): boolean {
  if (status === 401) return path === '/v1/batch'
  if (status === 404) return /^\/v1\/admin\/sites\/[^/]+\//.test(path)
  return status === 408 || status === 429 || status >= 500
}

function errorIn(text: string): string {
  try {
    const { code, message } = (JSON.parse(text) as ErrorAnswer).error
    return `${code}: ${message}`
  } catch {
    return text.slice(0, 200) || 'without a word'
  }
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  if (cause instanceof Error) return cause.message || cause.name
  return error instanceof Error ? error.message : String(error)
}
