import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createInbox, type Msg } from '@nats-io/transport-node'
import { EXPORT_SUBJECT, type ExportRequest } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'

/** How long an aggregator may take for the next lines, in milliseconds. */
const SILENCE_MS = 60_000

/**
 * Answers with a person's data as NDJSON. An aggregator reads it, and sends the next lines when those before are on
 * their way to the client, so that neither holds more than a few.
 *
 * @throws Failure before anything was sent; what breaks off later ends the connection
 */
export async function sendExport(
  nats: Pick<Nats, 'connection' | 'inboxPrefix'>,
  request: Omit<ExportRequest, 'inbox'>,
  response: ServerResponse,
  log: Log,
): Promise<void> {
  const inbox = createInbox(nats.inboxPrefix)
  const parcels = nats.connection.subscribe(inbox)
  const silence = setTimeout(() => parcels.unsubscribe(), SILENCE_MS)
  response.once('close', () => parcels.unsubscribe())
  try {
    await nats.connection
      .request(EXPORT_SUBJECT, JSON.stringify({ ...request, inbox } satisfies ExportRequest), { timeout: 5_000 })
      .catch(() => {
        throw new Failure('unavailable', 'no aggregator with the role warehouse answers: start one, and ask again')
      })
    for await (const parcel of parcels) {
      silence.refresh()
      if (await passOn(parcel, response)) return
    }
    if (!response.destroyed) throw new Failure('unavailable', 'the export broke off: ask again')
  } catch (error) {
    if (!response.headersSent) throw error
    log.warn({ err: error }, 'an export broke off')
    response.destroy()
  } finally {
    clearTimeout(silence)
    parcels.unsubscribe()
  }
}

/** Writes lines and lets the next ones come. Resolves to whether these were the last. */
async function passOn(parcel: Msg, response: ServerResponse): Promise<boolean> {
  if (parcel.headers?.has('Slotstream-Error')) throw new Failure('unavailable', 'the export failed: ask again')
  if (!response.headersSent)
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' })
  const isLast = parcel.data.length === 0
  if (isLast) response.end()
  else if (!response.write(parcel.data)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  parcel.respond()
  return isLast
}
