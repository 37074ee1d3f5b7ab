import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createInbox, headers, type Msg } from '@nats-io/transport-node'
import { EXPORT_ALIVE_MS, EXPORT_HEADER, EXPORT_SUBJECT, type ExportRequest } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'

/** How long an aggregator may be silent, in milliseconds. */
const SILENCE_MS = 6 * EXPORT_ALIVE_MS

/**
 * End of an export that is not whole, for clients that can't tell by the connection. On a line of its own:
 * the one before may be cut.
 */
const BROKE_OFF = '\n{"place":"error","value":"the export broke off here: it is incomplete, ask again"}\n'

/**
 * Answers with a person's data as NDJSON. An aggregator reads it, and sends the next lines when those before are on
 * their way to the client, so that neither holds more than a few. A client may read slowly; one that takes nothing for
 * `stallMs` milliseconds is gone.
 *
 * @throws Failure before anything was sent; what breaks off later ends the connection, with a line that says so
 */
export async function sendExport(
  nats: Pick<Nats, 'connection' | 'inboxPrefix'>,
  request: Omit<ExportRequest, 'inbox'>,
  response: ServerResponse,
  { log, stallMs }: { log: Log; stallMs: number },
): Promise<void> {
  const inbox = createInbox(nats.inboxPrefix)
  const parcels = nats.connection.subscribe(inbox)
  const silence = setTimeout(() => parcels.unsubscribe(), SILENCE_MS)
  response.once('close', () => parcels.unsubscribe())
  // Comes only when not a byte was taken meanwhile.
  response.setTimeout(stallMs, () => {
    if (response.writableLength > 0) response.destroy()
  })
  try {
    await begin(nats, { ...request, inbox })
    for await (const parcel of parcels) {
      silence.refresh()
      if (await passOn(parcel, response)) return
    }
    if (!response.destroyed) throw new Failure('unavailable', 'the export broke off: ask again')
    log.warn({ siteId: request.siteId }, 'the client of an export is gone, or took nothing for too long')
  } catch (error) {
    if (!response.headersSent) throw error
    log.warn({ err: error }, 'an export broke off')
    if (!response.destroyed) response.write(BROKE_OFF, () => response.destroy())
  } finally {
    clearTimeout(silence)
    parcels.unsubscribe()
  }
}

/** Asks for the lines. @throws Failure */
async function begin({ connection }: Pick<Nats, 'connection'>, request: ExportRequest): Promise<void> {
  const answer = await connection.request(EXPORT_SUBJECT, JSON.stringify(request), { timeout: 5_000 }).catch(() => {
    throw new Failure('unavailable', 'no aggregator with the role warehouse answers: start one, and ask again')
  })
  if (answer.headers?.get(EXPORT_HEADER) === 'busy')
    throw new Failure('unavailable', 'other exports are running: ask again when they have ended')
}

/** Writes lines and lets the next ones come when there is room. Resolves to whether these were the last. */
async function passOn(parcel: Msg, response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return false
  const what = parcel.headers?.get(EXPORT_HEADER)
  if (what === 'failed') throw new Failure('unavailable', 'the export failed: ask again')
  const isLast = !what && parcel.data.length === 0
  if (!what && !response.headersSent)
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' })
  if (isLast) response.end()
  else if (!what) response.write(parcel.data)
  const reading = headers()
  if (!isLast && !(await hasRoom(response))) reading.set(EXPORT_HEADER, 'reading')
  parcel.respond('', { headers: reading })
  return isLast
}

/** Waits for a moment until the client has taken what was written; resolves to whether it has, or is gone. */
async function hasRoom(response: ServerResponse): Promise<boolean> {
  const isReading = () => response.writableNeedDrain && !response.destroyed
  if (!isReading()) return true
  const ended = new AbortController()
  const { signal } = ended
  const timer = setTimeout(() => ended.abort(), EXPORT_ALIVE_MS)
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  } catch {
    // The time is over, or the connection broke.
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
  return !isReading()
}
