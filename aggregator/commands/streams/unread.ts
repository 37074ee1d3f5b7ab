import { type StreamKind, type StreamPart, streamSubject } from '@slotstream/protocol'
import type { Installation, Nats } from '@slotstream/runtime'
import type { ProfileStore } from '../../profiles/store/profile-store.js'
import { completeThrough, positionKeeper } from '../../warehouse/positions/position.js'

/** Messages of a stream that a role has not finished for good: those it has are not read again after a crash. */
export interface Unread {
  role: 'warehouse' | 'profiles'
  stream: string
  messages: number
}

/**
 * Returns the unread messages in some streams of a kind, most first.
 *
 * @param checkpoints where those who read partitions of events note how far they are
 */
export async function unreadOf(
  kind: StreamKind,
  parts: readonly StreamPart[],
  { nats, installation, checkpoints }: UnreadDeps,
): Promise<Unread[]> {
  const unread = await Promise.all(
    parts.flatMap(part => [byWarehouse(part), ...(kind === 'events' ? [byProfiles(part)] : [])]),
  )
  return unread.filter(({ messages }) => messages > 0).sort((a, b) => b.messages - a.messages)

  async function byWarehouse({ name, base, start }: StreamPart): Promise<Unread> {
    const { last_seq } = (await nats.manager.streams.info(name)).state
    const position = await positionKeeper(installation.buckets.positions, name).load()
    const complete = (completeThrough(position, base) ?? base) - (position?.offset ?? base)
    return { role: 'warehouse', stream: name, messages: last_seq - Math.max(complete, start - 1) }
  }

  async function byProfiles({ name, first, last }: StreamPart): Promise<Unread> {
    let messages = 0
    for (let partition = first; partition <= last; partition++) {
      const newest = await nats.manager.streams.getMessage(name, {
        last_by_subj: streamSubject('events', partition),
      })
      const { seq } = await checkpoints.readCheckpoint(partition)
      messages = Math.max(messages, (newest?.seq ?? 0) - seq)
    }
    return { role: 'profiles', stream: name, messages }
  }
}

export interface UnreadDeps {
  nats: Nats
  installation: Installation
  checkpoints: Pick<ProfileStore, 'readCheckpoint'>
}
