import { isCount, isId, isObject, isText } from '@slotstream/protocol'

/**
 * A signal that a webhook is to get: where it is, and what became of the attempts so far. It says nothing of its
 * person.
 */
export interface Pending {
  /** Its message in the streams of signals, and its place there. */
  seq: number
  index: number
  signalId: string
  signal: string
  /** Keyed hash of its visitor: of one lane only the first is delivered at a time. */
  lane: string
  /** Attempts so far. */
  attempts: number
  /**
   * Time from which the next attempt may begin, and time when the signal was taken from its stream, in milliseconds
   * since the epoch.
   */
  due: number
  since: number
  /** HTTP status and error of the last attempt: 0 and '' before it. */
  status: number
  error: string
  /** Time when that ended, in milliseconds since the epoch. */
  at: number
  /** True if the signal is read from its dead letter, and replayed. Absent: from the stream. */
  letter?: true
}

/** Compares two signals by their order in the partition. */
export function byPlace(a: Pick<Pending, 'seq' | 'index'>, b: Pick<Pending, 'seq' | 'index'>): number {
  return a.seq - b.seq || a.index - b.index
}

/** Returns whether a value is a `Pending`, as the store has it. */
export function isPending(raw: unknown): raw is Pending {
  return (
    isObject(raw) &&
    [raw.seq, raw.index, raw.attempts, raw.status].every(isCount) &&
    [raw.due, raw.since, raw.at].every(Number.isFinite) &&
    isId(raw.signalId) &&
    isId(raw.signal) &&
    isText(raw.lane) &&
    isText(raw.error) &&
    (raw.letter === undefined || raw.letter === true)
  )
}
