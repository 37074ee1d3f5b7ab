import type { KV } from '@nats-io/kv'
import { uuidv7, warehousePositionKey } from '@slotstream/protocol'
import { parseEntry } from '@slotstream/runtime'
import { type Block, type Position, parsePosition } from './parse-position.js'

export type { Block, Position } from './parse-position.js'

/** Another process announced a block: this loader no longer owns the stream. */
export class LostOwnership extends Error {
  override name = 'LostOwnership'
  readonly code = 'lost_ownership'
}

/**
 * Opens the position of one stream. The process that announced last by compare-and-set owns the stream.
 *
 * @param writer unique to this owner
 * @param onMisfit is called with why an announcement can't be used; it is then as if there were none, see `resume`
 */
export function positionKeeper(
  positions: KV,
  stream: string,
  writer: string = uuidv7(),
  onMisfit: (reason: string) => void = () => {},
) {
  const key = warehousePositionKey(stream)
  let revision = 0
  let value: Position | undefined
  let misfits = false

  async function load(): Promise<Position | undefined> {
    const entry = await positions.get(key)
    revision = entry?.revision ?? 0
    const parsed = entry && entry.length > 0 ? parseEntry(entry, parsePosition) : undefined
    value = parsed?.ok ? parsed.value : undefined
    misfits = parsed?.ok === false
    if (parsed?.ok === false) onMisfit(parsed.reason)
    return value
  }

  async function announce(next: Position): Promise<void> {
    const expected = revision
    const mine = { ...next, by: writer }
    const text = JSON.stringify(mine)
    try {
      revision = expected === 0 ? await positions.create(key, text) : await positions.update(key, text, expected)
      value = mine
    } catch (error) {
      // The answer may be lost, not the write.
      await load()
      if (value && JSON.stringify(value) === text) return
      if (revision !== expected) throw new LostOwnership(`another writer took over ${stream}`, { cause: error })
      throw error
    }
  }

  return {
    load,
    /** True if there is an announcement that cannot be used. */
    get misfits() {
      return misfits
    },
    /**
     * Announces a block.
     *
     * @throws LostOwnership when another process did since; other errors when NATS doesn't answer: call again
     */
    announce,
    /**
     * Announces what is announced already once more, so that the process that did it before announces nothing after it,
     * and doesn't take for done what this owner is still at. @throws as `announce`
     */
    async claim(): Promise<void> {
      if (value) await announce(value)
    },
    /** Notes that the announced block was written. @throws as `announce` */
    async complete({ last }: Block): Promise<void> {
      if (value?.last === last && !value.done) await announce({ ...value, done: true })
    },
  }
}

/**
 * Returns the position up to which a stream is in its table for good: undefined while a restored table is still being
 * filled in.
 *
 * @param base the stream's positions begin after it
 */
export function completeThrough(position: Position | undefined, base: number): number | undefined {
  if (!position) return base
  if (position.pending) return undefined
  return position.done ? position.last : position.first - 1
}

export type PositionKeeper = ReturnType<typeof positionKeeper>
