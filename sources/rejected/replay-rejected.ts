import { MAX_REPLAYED } from '@slotstream/protocol'
import type { Client } from '../client.js'
import { ReplayError } from '../errors.js'
import { createProgress, type Output } from '../progress.js'
import { type Candidate, candidateOf } from './candidates.js'
import type { ClickHouse } from './clickhouse.js'
import { countRejected, readRejected, type Selection } from './rejected-rows.js'
import { storedAlready } from './stored-already.js'

/** Largest request, in characters of its messages; well below the 5 MB that an admin request may have. */
const MAX_REQUEST = 1_000_000

/** Messages that are rejected for one and the same reason. */
export interface StillRejected {
  code: string
  path: string
  event: string
  count: number
  /** Of the first of them. */
  reason: string
  messageId: string
}

/** Counts of rejected messages by what became of them. */
export interface RejectedSummary {
  messages: number
  accepted: number
  /** In `events` before, by an earlier replay or because the sender corrected them. */
  there: number
  /** Sent by their sender several times, and rejected each time. */
  repeated: number
  /** Cut, or no message at all. */
  unreadable: number
  still: StillRejected[]
}

export interface RejectedOptions {
  selection: Selection
  clickhouse: ClickHouse
  client: Pick<Client, 'listSites' | 'replayRejected'>
  /** Finds out what would be accepted, and stores nothing. */
  dryRun: boolean
  output: Output
}

/**
 * Takes rejected messages once more. What is accepted is stored as if it had been at once, under the same id each time,
 * so that a second replay changes nothing; what isn't stays among the rejected, where it is.
 */
export async function replayRejected(options: RejectedOptions): Promise<RejectedSummary> {
  const { selection, clickhouse, client, dryRun, output } = options
  const { siteId } = selection
  const { sites } = await client.listSites()
  if (!sites.some(site => site.siteId === siteId))
    throw new ReplayError(`there is no site ${siteId}: there are ${sites.map(site => site.siteId).join(', ')}`)

  const summary = { messages: 0, accepted: 0, there: 0, repeated: 0, unreadable: 0 }
  const still = new Map<string, StillRejected>()
  const seen = new Set<string>()
  const progress = createProgress(await countRejected(clickhouse, selection), output)
  try {
    for await (const rows of readRejected(clickhouse, selection)) {
      const read = rows.map(row => candidateOf(siteId, row)).filter(candidate => candidate !== undefined)
      const fresh = read.filter(candidate => !isRepeated(candidate))
      const stored = await storedAlready(clickhouse, siteId, fresh)
      for (const candidates of packed(fresh.filter(candidate => !stored.has(candidate)))) await send(candidates)
      summary.messages += rows.length
      summary.unreadable += rows.length - read.length
      summary.repeated += read.length - fresh.length
      summary.there += stored.size
      progress.add(rows.length)
    }
  } finally {
    progress.end()
  }
  return { ...summary, still: [...still.values()].sort((a, b) => b.count - a.count) }

  function isRepeated({ replay, visitor, messageId }: Candidate): boolean {
    const key = JSON.stringify([visitor, messageId, replay.message])
    if (seen.has(key)) return true
    // Beyond that, a repetition is sent once more, and known by its id.
    if (seen.size < 100_000) seen.add(key)
    return false
  }

  async function send(candidates: Candidate[]): Promise<void> {
    const messages = candidates.map(({ replay }) => replay)
    const { accepted, rejected } = await client.replayRejected(siteId, { messages, dryRun })
    summary.accepted += accepted
    for (const { index, code, path = '', reason } of rejected) {
      const { event, messageId } = candidates[index]!
      const key = JSON.stringify([code, path, event])
      const group = still.get(key) ?? { code, path, event, count: 0, reason, messageId }
      group.count++
      still.set(key, group)
    }
  }
}

/** Messages as requests of a size that is taken. */
function* packed(candidates: Candidate[]): Generator<Candidate[]> {
  let [part, size]: [Candidate[], number] = [[], 0]
  for (const candidate of candidates) {
    if (part.length > 0 && (part.length >= MAX_REPLAYED || size + candidate.size > MAX_REQUEST)) {
      yield part
      ;[part, size] = [[], 0]
    }
    part.push(candidate)
    size += candidate.size
  }
  if (part.length > 0) yield part
}
