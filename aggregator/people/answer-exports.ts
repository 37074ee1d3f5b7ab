import type { ClickHouseClient } from '@clickhouse/client'
import { headers, type Msg } from '@nats-io/transport-node'
import { EXPORT_SUBJECT, type ExportRequest } from '@slotstream/protocol'
import type { Installation, Log, Nats } from '@slotstream/runtime'
import { exportPerson } from './export-person.js'

/** Bytes of lines that are sent at a time: below the largest message that NATS takes. */
const PARCEL_BYTES = 256 * 1024

/** How long a client may take to read that, in milliseconds. */
const READ_MS = 55_000

/** Answers requests for a person's data: one process of all takes each. */
export function answerExports(parts: {
  nats: Nats
  installation: Installation
  clickhouse: ClickHouseClient
  log: Log
}): { stop(): Promise<void> } {
  const { nats, log } = parts
  const { connection } = nats
  const subscription = connection.subscribe(EXPORT_SUBJECT, {
    queue: 'people',
    callback(error, message) {
      if (error) return log.error({ err: error }, 'requests for exports cannot be received')
      const request = parse(message)
      message.respond()
      if (!request) return
      send(request).catch(async failure => {
        log.warn({ err: failure, siteId: request.siteId }, 'an export broke off')
        const reason = headers()
        reason.set('Slotstream-Error', '1')
        if (!connection.isClosed()) connection.publish(request.inbox, '', { headers: reason })
      })
    },
  })

  /** The next lines are read when those before have been taken. */
  async function send({ inbox, siteId, ...asked }: ExportRequest): Promise<void> {
    const parcel = (lines: string) => connection.request(inbox, lines, { timeout: READ_MS })
    let lines = ''
    for await (const found of exportPerson(parts, siteId, asked)) {
      lines += `${JSON.stringify(found)}\n`
      if (Buffer.byteLength(lines) < PARCEL_BYTES) continue
      await parcel(lines)
      lines = ''
    }
    if (lines) await parcel(lines)
    await parcel('')
  }

  // A connection that is closed has ended the subscription.
  return { stop: async () => (connection.isClosed() ? undefined : subscription.drain()) }
}

function parse(message: Msg): ExportRequest | undefined {
  try {
    const { siteId, id, as, inbox } = message.json<Partial<ExportRequest>>()
    if (typeof siteId !== 'string' || typeof id !== 'string' || typeof inbox !== 'string') return undefined
    return { siteId, id, inbox, ...(as === 'userId' || as === 'anonymousId' ? { as } : {}) }
  } catch {
    return undefined
  }
}
