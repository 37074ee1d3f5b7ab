import type { CountPattern, PatternEvent, SequencePattern, StoredMessage, SumPattern } from '@slotstream/protocol'
import { parseDuration } from '@slotstream/protocol'

/** What the reference finds: when, by the message that completed it or began the absence, and the key. */
export interface Expected {
  at: number
  messageId: string
  key: string
}

interface Timed {
  at: number
  event: string
  id: string
  key: string
}

/** A part of the sequence: a message, or a time without some messages; `nots` must not come before it. */
interface Part {
  event?: PatternEvent
  waitMs?: number
  nots: PatternEvent[]
}

/** A way through the sequence: the messages by their index, and when each part was done. */
interface Chain {
  indices: number[]
  times: number[]
}

/**
 * Finds a sequence by trying all ways through the messages, straight from what docs/signals.md says. Knows events and
 * keys, no conditions. Messages are in the order of their times.
 */
export function sequencesIn(pattern: SequencePattern, messages: readonly StoredMessage[]): Expected[] {
  const all = messages.map(timed)
  const parts = partsOf(pattern)
  const isKeyed = parts[0]!.event!.key !== undefined
  const keys = isKeyed ? [...new Set(all.map(({ key }) => key))] : ['']
  const withinMs = pattern.within === undefined ? Number.POSITIVE_INFINITY : parseDuration(pattern.within)!
  return keys.flatMap(key => ofKey(parts, withinMs, all, key))
}

function ofKey(parts: Part[], withinMs: number, all: Timed[], key: string): Expected[] {
  const found: Expected[] = []
  const isOf = (index: number, { event, key: path }: PatternEvent) =>
    all[index]!.event === event && (path === undefined || all[index]!.key === key)
  let isUsable = (_index: number) => true

  /** Whether none of some messages is at an index from `from` that `isBetween` takes. */
  const isFree = (nots: PatternEvent[], from: number, isBetween: (index: number) => boolean) =>
    all.every((_, index) => index <= from || !isBetween(index) || !nots.some(not => isOf(index, not)))

  const chainsOf = (upTo: number): Chain[] => {
    if (upTo === 0) return [{ indices: [], times: [] }]
    const { event, waitMs, nots } = parts[upTo - 1]!
    return chainsOf(upTo - 1).flatMap(({ indices, times }) => {
      const last = indices.at(-1) ?? -1
      if (waitMs !== undefined) {
        const end = times.at(-1)! + waitMs
        const isBegunAnew = chainsOf(upTo - 1).some(
          other => other.indices.at(-1)! > last && all[other.indices.at(-1)!]!.at < end,
        )
        if (isBegunAnew || !isFree(nots, last, index => all[index]!.at < end)) return []
        return [{ indices, times: [...times, end] }]
      }
      return all.flatMap((message, index) => {
        if (index <= last || !isUsable(index) || !isOf(index, event!)) return []
        if (message.at < (times.at(-1) ?? message.at)) return []
        if (message.at - (times[0] ?? message.at) >= withinMs) return []
        if (!isFree(nots, last, other => other < index)) return []
        return [{ indices: [...indices, index], times: [...times, message.at] }]
      })
    })
  }

  for (;;) {
    const chains = chainsOf(parts.length).sort(
      (one, other) => one.times.at(-1)! - other.times.at(-1)! || one.indices.at(-1)! - other.indices.at(-1)!,
    )
    const [first] = chains
    if (!first) return found
    const last = first.indices.at(-1)!
    const lastAt = all[last]!.at
    found.push({ at: first.times.at(-1)!, messageId: all[last]!.id, key })
    const isWait = parts.at(-1)!.waitMs !== undefined
    isUsable = index => index > last && (!isWait || all[index]!.at > lastAt)
  }
}

function partsOf({ sequence }: SequencePattern): Part[] {
  const parts: Part[] = []
  let nots: PatternEvent[] = []
  for (const step of sequence) {
    if (!('not' in step)) {
      parts.push({ event: step, nots })
      nots = []
    } else if (step.within === undefined) nots = [step.not].flat()
    else parts.push({ waitMs: parseDuration(step.within)!, nots: [step.not].flat() })
  }
  return parts
}

function timed({ timestamp, event = '', messageId, properties }: StoredMessage): Timed {
  return { at: Date.parse(timestamp), event, id: messageId, key: String(properties?.k ?? '') }
}

/** Finds counts and sums over `properties.v` by looking, at each message, at all that are within the time before it. */
export function windowsIn(pattern: CountPattern | SumPattern, messages: readonly StoredMessage[]): Expected[] {
  const withinMs = parseDuration(pattern.within!)!
  const found: Expected[] = []
  /** By key: the place behind the last message that is used up. */
  const usedUp = new Map<string, number>()
  for (const [index, last] of messages.entries()) {
    const { at, key } = timed(last)
    const group = pattern.key === undefined ? '' : key
    const isOf = (other: StoredMessage, place: number) =>
      place >= (usedUp.get(group) ?? 0) &&
      place <= index &&
      (pattern.event === '*' || pattern.event === other.event) &&
      (pattern.key === undefined || timed(other).key === key) &&
      at - timed(other).at < withinMs
    if (!isOf(last, index)) continue
    const all = messages.filter(isOf)
    const reached =
      'count' in pattern
        ? all.length >= pattern.count
        : all.reduce((sum, { properties }) => sum + Number(properties!.v), 0) >= pattern.sum
    // A message without an amount is none of a sum's.
    if (!reached || ('sum' in pattern && Number(last.properties!.v) === 0)) continue
    found.push({ at, messageId: last.messageId, key: group })
    usedUp.set(group, index + 1)
  }
  return found
}
