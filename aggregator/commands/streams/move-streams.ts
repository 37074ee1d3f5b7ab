import { setTimeout as pause } from 'node:timers/promises'
import { MAX_STREAMS, type StreamPart, streamParts } from '@slotstream/protocol'
import { changeLayout, type Layout, type Nats, readLayout } from '@slotstream/runtime'
import type { Move } from './parse-arguments.js'
import { refuseOldCluster } from './server-versions.js'
import { type UnreadDeps, unreadOf } from './unread.js'

/** Messages that may be unread when a move begins: reading more of them takes longer than clients should wait. */
const MOST_UNREAD = 20_000

/** Time for reading unread messages once no new ones arrive, in milliseconds. */
const READ_MS = 60_000

const LOOK_MS = 100

/** A message that is longer than this is rejected while a move is under way: all are. In bytes. */
const FROZEN_SIZE = 1

/**
 * Lets another number of streams share the partitions of a kind. The old ones keep what they have until it is too old.
 *
 * 1. The old streams refuse messages for a moment, which clients keep, and everything in them is read.
 * 2. The new ones are made. Their sequences go on after the old ones', so that a reader that has read up to a sequence
 *    knows what is new, and no reader takes a new message for one that it has applied.
 * 3. The layout is changed, at once for all, which can't be taken back. Processes that see it start again; one that is
 *    first takes the subjects from the old streams and gives them to the new ones (`provision`).
 *
 * Whatever fails before the third step changes nothing. Done again it goes on from there.
 *
 * @param parts.signal breaks it off
 * @param parts.readMs time that reading what is there may take, in milliseconds, default 60,000
 * @returns the new streams; undefined when there are as many already
 */
export async function moveStreams(
  { kind, count }: Move,
  deps: UnreadDeps & { print: (line: string) => void; signal?: AbortSignal; readMs?: number },
): Promise<StreamPart[] | undefined> {
  const { nats, installation, print, signal, readMs = READ_MS } = deps
  const { meta } = installation.buckets
  const read = await readLayout(meta)
  if (!read) throw new Error('there is no installation')
  const { layout, revision } = read
  const { partitions } = layout
  const past = layout.past[kind]
  const old = streamParts(kind, layout.streams[kind], partitions, past)
  await refuseOldCluster(nats, old[0]!.name)
  if (count > partitions) throw new Error(`there are ${partitions} partitions to share: no more streams than that`)
  if (old.length === count) {
    // After a move that was cut short, before it had changed anything.
    await thaw(nats, old)
    return undefined
  }
  const ever = past.reduce((sum, streams) => sum + streams.count, old.length + count)
  if (ever > MAX_STREAMS) throw new Error(`there would be ${ever} streams of ${kind} over time: ${MAX_STREAMS} at most`)

  await refuseToWaitLong()
  const prepared: string[] = []
  try {
    await freeze(nats, old)
    print(`${old.map(({ name }) => name).join(', ')}: nothing is taken until what is there has been read`)
    await untilRead()
    const end = Math.max(...(await Promise.all(old.map(({ name }) => lastSequence(nats, name)))))
    const next: Layout = {
      ...layout,
      streams: { ...layout.streams, [kind]: count },
      past: { ...layout.past, [kind]: [...past, { count: old.length, end }] },
    }
    const fresh = streamParts(kind, count, partitions, next.past[kind])
    for (const { name } of fresh) {
      prepared.push(name)
      await prepare(nats, name, old[0]!.name, end)
    }
    signal?.throwIfAborted()
    await changeOnce(next)
    return fresh
  } catch (error) {
    for (const name of prepared) await nats.manager.streams.delete(name).catch(() => {})
    await thaw(nats, old)
    throw error
  }

  async function refuseToWaitLong(): Promise<void> {
    const [most] = await unreadOf(kind, old, deps)
    if (most && most.messages > MOST_UNREAD)
      throw new Error(
        `the role ${most.role} has ${most.messages} messages of ${most.stream} still to read, and clients would have to wait for that: try again when there are fewer than ${MOST_UNREAD}`,
      )
  }

  async function untilRead(): Promise<void> {
    for (const deadline = Date.now() + readMs; ; await pause(LOOK_MS, undefined, signal ? { signal } : {})) {
      const [most] = await unreadOf(kind, old, deps)
      if (!most) return
      if (Date.now() > deadline)
        throw new Error(
          `the role ${most.role} did not read ${most.stream} to its end within ${readMs / 1000} s, ${most.messages} messages are left: does a process with that role run? Nothing was changed`,
        )
    }
  }

  /** Writes a layout. A lost answer is no failure: the layout that is stored is compared. */
  async function changeOnce(next: Layout): Promise<void> {
    try {
      await changeLayout(meta, next, revision)
    } catch (error) {
      const current = await readLayout(meta)
      if (JSON.stringify(current?.layout) !== JSON.stringify(next)) throw error
    }
  }
}

/** Makes streams reject every message, and waits until their leaders know. */
async function freeze(nats: Nats, parts: readonly StreamPart[]): Promise<void> {
  for (const { name } of parts) {
    await nats.manager.streams.update(name, { max_msg_size: FROZEN_SIZE })
    while ((await nats.manager.streams.info(name)).config.max_msg_size !== FROZEN_SIZE) await pause(LOOK_MS)
  }
}

async function thaw(nats: Nats, parts: readonly StreamPart[]): Promise<void> {
  for (const { name } of parts)
    if (await isFrozen(nats, name)) await nats.manager.streams.update(name, { max_msg_size: -1 })
}

/** Returns whether a stream rejects messages because a move is under way, or was cut short. */
export async function isFrozen(nats: Nats, name: string): Promise<boolean> {
  return (await nats.manager.streams.info(name)).config.max_msg_size === FROZEN_SIZE
}

/** Makes a stream like another one, without its subjects, that counts on after `end`. */
async function prepare(nats: Nats, name: string, like: string, end: number): Promise<void> {
  const { config } = await nats.manager.streams.info(like)
  const subjects = [`coming.${name}`]
  // Its size is settled when it gets its subjects, with the number of streams that share them then.
  await nats.manager.streams.add({ ...config, name, subjects, max_msg_size: -1, max_bytes: -1 })
  // nats-server 2.9 knows no first sequence to begin with, and begins after what was removed.
  await nats.manager.streams.purge(name, { seq: end + 1 })
  const last = await lastSequence(nats, name)
  if (last !== end)
    throw new Error(`the new stream ${name} is at message ${last} and not at ${end}: nothing was changed`)
}

async function lastSequence(nats: Nats, name: string): Promise<number> {
  return (await nats.manager.streams.info(name)).state.last_seq
}
