import { type EventEnvelope, streamSubject } from '@slotstream/protocol'
import { type Log, type Nats, readWhole } from '@slotstream/runtime'
import { parseEnvelope } from '../store/parse-envelope.js'
import type { EventRanges, Range } from './event-ranges.js'

/** A message as a stream has it: what is none is an error. */
export interface HistoryMessage {
  envelope: EventEnvelope | Error
  seq: number
}

export interface HistoryDeps {
  nats: Nats
  log: Log
  ranges: EventRanges
}

/**
 * Yields a partition's messages that the streams have, oldest first.
 *
 * @param through sequence to end with. Default: all that there were when the ranges were read
 * @param buffer messages read ahead. Default: that of `readStream`
 */
export async function* messagesOf(
  partition: number,
  deps: HistoryDeps,
  through = Number.POSITIVE_INFINITY,
  buffer?: number,
): AsyncGenerator<HistoryMessage> {
  for (const range of deps.ranges.of(partition))
    yield* messagesIn(partition, { ...range, end: Math.min(range.end, through) }, deps, buffer)
}

async function* messagesIn(
  partition: number,
  { part, first, end }: Range,
  { nats, log, ranges }: HistoryDeps,
  buffer?: number,
): AsyncGenerator<HistoryMessage> {
  const subject = streamSubject('events', partition)
  if (first > end || !(await nats.manager.streams.getMessage(part.name, { last_by_subj: subject }))) return
  // nats-server rejects a filter by a subject that the stream no longer takes.
  const filter = ranges.current.some(range => range.part === part) ? { subject } : {}
  const options = { from: first, ...filter, ...(buffer !== undefined && { buffer }) }
  for await (const message of readWhole(nats, part.name, log, options)) {
    if (message.seq > end) return
    if (message.subject === subject) yield { envelope: parseEnvelope(message.data), seq: message.seq }
  }
}
