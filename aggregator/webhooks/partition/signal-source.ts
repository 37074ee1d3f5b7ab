import type { JsMsg } from '@nats-io/jetstream'
import { STREAMS, type StreamPart, stores, streamSubject } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, readStream, readWhole, type StreamReader } from '@slotstream/runtime'

/** Messages that a reader holds: each may be as large as a batch makes it. */
const READ_AHEAD = 100

/** A message of the stream of signals. */
export interface SignalMessage {
  seq: number
  readonly data: Uint8Array
}

/** The signals of a partition, over all streams that had them: of these a later message has a higher sequence. */
export interface SignalSource {
  /** Reads what follows a sequence, without end, until it is stopped. */
  readAfter(seq: number): StreamReader
  /** Resolves to the message of a sequence; `deleted` or `expired` where it no longer exists. */
  get(seq: number): Promise<SignalMessage | 'deleted' | 'expired'>
  /** Resolves to the last sequence of the stream that takes messages, whichever partition it belongs to. */
  end(): Promise<number>
  /** Returns the sequence after which a reader begins that was declared when the streams had these last sequences. */
  since(ends: Readonly<Record<string, number>>): number
}

interface Part extends Pick<StreamPart, 'name' | 'start'> {
  /** No sequence in it is higher. */
  end: number
}

/** Creates the view of a partition's signals. */
export function createSignalSource(
  nats: Nats,
  { streams, past, layout }: Pick<Installation, 'streams' | 'past' | 'layout'>,
  partition: number,
  log: Log,
): SignalSource {
  const subject = streamSubject('signals', partition)
  const parts = partsOf({ streams, past, layout }, partition)
  const current = parts.at(-1)!

  async function* messagesAfter(seq: number, onReader: (reader: StreamReader) => void): AsyncGenerator<JsMsg> {
    for (const { name, end } of parts.slice(0, -1))
      if (end > seq) yield* readWhole(nats, name, log, { subject, from: seq + 1, buffer: READ_AHEAD })
    const from = Math.max(seq + 1, current.start)
    const reader = readStream(nats, current.name, { from, filter: subject, buffer: READ_AHEAD, log })
    onReader(reader)
    yield* reader
  }

  return {
    readAfter(seq) {
      let isStopped = false
      let reader: StreamReader | undefined
      return {
        async *[Symbol.asyncIterator]() {
          for await (const message of messagesAfter(seq, opened => {
            reader = opened
            if (isStopped) void opened.stop()
          })) {
            if (isStopped) return
            yield message
          }
        },
        async stop() {
          isStopped = true
          await reader?.stop()
        },
      }
    },
    async get(seq) {
      const { name } = parts.find(({ end }) => seq <= end) ?? current
      const message = await nats.manager.streams.getMessage(name, { seq })
      if (message?.subject === subject) return message
      const { first_seq } = (await nats.manager.streams.info(name)).state
      return seq < first_seq ? 'expired' : 'deleted'
    },
    end: async () => (await nats.manager.streams.info(current.name)).state.last_seq,
    since: ends => Math.max(0, ...parts.map(({ name }) => ends[name] ?? 0)),
  }
}

/** Streams that store the partition's signals, oldest first; one that is gone has none. */
function partsOf({ streams, past, layout }: Parameters<typeof createSignalSource>[1], partition: number): Part[] {
  const { signals } = past
  let index = 0
  const old = layout.past.signals.flatMap(({ count, end }) => {
    const ofThatTime = signals.slice(index, index + count)
    index += count
    return ofThatTime.filter(part => stores(part, partition) && !part.gone).map(part => ({ ...part, end }))
  })
  const now = streams.signals.find(part => stores(part, partition))
  if (!now) throw new Error(`no stream of ${STREAMS.signals.name} stores partition ${partition}`)
  return [...old, { ...now, end: Number.POSITIVE_INFINITY }]
}
