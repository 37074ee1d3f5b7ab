import type { Profile } from '@slotstream/protocol'
import { isMark, type Log, type Nats, readWhole } from '@slotstream/runtime'

/** An entry of the profiles bucket as its stream has it. */
export interface StoredEntry {
  /** Undefined for a mark, and for what is no profile. */
  profile: Profile | undefined
  revision: number
  subject: string
  /** True if it marks a profile as removed. */
  isMark: boolean
}

const NANOS = 1_000_000n

/**
 * Reads the entries of a partition that were written before a time, oldest first. The bucket keeps one message per key,
 * and so its stream has them in the order in which they were last written.
 *
 * @param from sequence to begin with
 * @param before milliseconds since the epoch
 */
export async function* readEntries(
  { nats, log, stream, subject }: { nats: Nats; log: Log; stream: string; subject: string },
  from: number,
  before: number,
  abort: AbortSignal,
  parse: (message: { json<T>(): T; subject: string; seq: number }) => Profile | undefined,
): AsyncGenerator<StoredEntry> {
  for await (const message of readWhole(nats, stream, log, { subject, from, buffer: 50 })) {
    if (abort.aborted || Number(message.timestampNanos / NANOS) >= before) return
    const isMarker = isMark(message.headers)
    const profile = isMarker ? undefined : parse(message)
    yield { profile, revision: message.seq, subject: message.subject, isMark: isMarker }
  }
}
