import { ENVELOPE_BYTES } from '../delivery/body.js'
import type { EventStore } from '../delivery/database/event-store.js'
import type { SealedBatch } from '../delivery/database/tables.js'
import type { Outbox } from '../delivery/outbox.js'
import type { Sender } from '../delivery/send/sender.js'

/** Most bytes of messages that a request for slots carries. With more than that waiting, they are sent first. */
const CARRIED_BYTES = 100_000

/**
 * Longest time a request for slots waits for the store, in milliseconds; then it carries what is in memory. In a new
 * browser the first write alone can take longer than a slot's deadline.
 */
const STORE_PATIENCE_MS = 50

/** Dependencies of carrying messages. */
export interface Carrying {
  outbox: Pick<Outbox, 'isFirst' | 'whenWritten' | 'bytes' | 'sealForExit'>
  store: Pick<EventStore, 'known'>
  sending: () => Promise<Pick<Sender, 'flush' | 'seal' | 'batches'>>
  settings: { maxBatchBytes: number }
  /** While true, nothing is stored, so there is nothing to carry. */
  paused: () => boolean
}

/**
 * Returns the messages that a request for slots carries: all that aren't acknowledged, in batches; undefined when there
 * are too many. The first page of a browser doesn't wait for the store: all that there is, is in memory.
 */
export async function carried(deps: Carrying): Promise<SealedBatch[] | undefined> {
  const first = deps.outbox.isFirst() && sealedFromMemory(deps)
  if (first) return first
  let late = false
  const patience = new Promise<'late'>(resolve =>
    setTimeout(() => {
      late = true
      resolve('late')
    }, STORE_PATIENCE_MS),
  )
  const waiting = deps.outbox.whenWritten().then(() => unacknowledged(deps, () => !late))
  // The sender may fail to load.
  const stored = await Promise.race([waiting.catch(() => patience), patience])
  const batches = stored === 'late' ? (sealedFromMemory(deps) ?? (await waiting)) : stored
  if (batches) return batches
  await (await deps.sending()).flush()
  return unacknowledged(deps, () => true)
}

/**
 * Seals everything and lists what isn't acknowledged, oldest first; undefined when that is more than a request carries.
 * Stops sealing once `isWanted` says that the result is no longer waited for.
 */
export async function unacknowledged(
  { store, sending, paused }: Carrying,
  isWanted: () => boolean,
): Promise<SealedBatch[] | undefined> {
  if (paused()) return []
  if ((store.known()?.bytes ?? 0) > CARRIED_BYTES) return undefined
  const { seal, batches } = await sending()
  while (isWanted() && (await seal()));
  return batches()
}

/** Seals the messages of this page alone, at once, from memory; undefined when they don't fit one batch. */
function sealedFromMemory({ outbox, settings }: Carrying): SealedBatch[] | undefined {
  if (outbox.bytes() + ENVELOPE_BYTES > settings.maxBatchBytes) return undefined
  return outbox.sealForExit(settings.maxBatchBytes)
}
