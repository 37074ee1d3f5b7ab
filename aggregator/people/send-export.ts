import { headers, type NatsConnection } from '@nats-io/transport-node'
import { EXPORT_ALIVE_MS, EXPORT_HEADER } from '@slotstream/protocol'

/** Bytes that are sent at a time: below the largest message that NATS takes. */
const PARCEL_BYTES = 256 * 1024

/** Time that a collector may take to answer, in milliseconds: it does so in a third of it while its client reads. */
const ANSWER_MS = 3 * EXPORT_ALIVE_MS

/**
 * Sends things to a collector as lines of JSON. The next ones are read when those before have been taken, however long
 * that takes, and a collector hears of it while nothing is found. Memory holds one thing and a parcel.
 *
 * @param things is given the signal that ends it when the collector or its client is gone
 * @throws when the collector or its client is gone
 */
export async function sendExport(
  connection: Pick<NatsConnection, 'request'>,
  inbox: string,
  things: (signal: AbortSignal) => AsyncIterable<unknown>,
): Promise<void> {
  const gone = new AbortController()
  let isSending = false
  const alive = setInterval(() => {
    if (!isSending) ask('', 'working').catch(error => gone.abort(error))
  }, EXPORT_ALIVE_MS)
  try {
    let buffered: Buffer[] = []
    let length = 0
    for await (const thing of things(gone.signal)) {
      const line = Buffer.from(`${JSON.stringify(thing)}\n`)
      buffered.push(line)
      length += line.length
      if (length < PARCEL_BYTES) continue
      const bytes = Buffer.concat(buffered)
      const end = length - (length % PARCEL_BYTES)
      // A line may be longer than a message of NATS.
      for (let first = 0; first < end; first += PARCEL_BYTES) await send(bytes.subarray(first, first + PARCEL_BYTES))
      buffered = [bytes.subarray(end)]
      length -= end
    }
    if (length > 0) await send(Buffer.concat(buffered))
    await send('')
  } finally {
    clearInterval(alive)
  }

  async function send(data: Buffer | string): Promise<void> {
    isSending = true
    let answer = await ask(data)
    while (answer.headers?.get(EXPORT_HEADER) === 'reading') answer = await ask('', 'more')
    isSending = false
  }

  function ask(data: Buffer | string, what?: 'working' | 'more') {
    const header = headers()
    if (what) header.set(EXPORT_HEADER, what)
    return connection.request(inbox, data, { timeout: ANSWER_MS, headers: header })
  }
}
