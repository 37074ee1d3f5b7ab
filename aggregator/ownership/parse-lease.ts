import { type Check, isCount } from '@slotstream/protocol'

/** The holder of a resource. `owner` '' means none; `epoch` rises with every change of the lease. */
export interface Lease {
  owner: string
  epoch: number
}

/** Entry of a member, as others read it. */
export interface MemberNote {
  /** Stays the same when the process is started again. */
  name: string
}

/**
 * Stands for a lease that can't be read: no process holds the resource, and the next one may claim it.
 */
export const FREE: Lease = { owner: '', epoch: 0 }

/** Parses a lease as the bucket has it. */
export function parseLease(raw: unknown): Check<Lease> {
  const { owner, epoch } = (raw ?? {}) as Partial<Lease>
  if (typeof owner !== 'string') return { ok: false, reason: 'a lease needs an owner, as text' }
  // One more must still be another number.
  if (!isCount(epoch) || !isCount(epoch + 2))
    return { ok: false, reason: 'a lease needs an epoch, a whole number from 0' }
  return { ok: true, value: { owner, epoch } }
}

/** Parses what a member says of itself. */
export function parseMemberNote(raw: unknown): Check<MemberNote> {
  const { name } = (raw ?? {}) as Partial<MemberNote>
  if (typeof name !== 'string') return { ok: false, reason: 'a member needs a name, as text' }
  return { ok: true, value: { name } }
}
