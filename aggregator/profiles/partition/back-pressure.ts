import { pause } from '@slotstream/runtime'
import type { LoadedPartition } from './load-partition.js'
import { isUnstoredTooLarge, isWaitingTooLarge } from './waiting-bounds.js'

/** Pauses after a pass that stored what was there, and after one that could not, in milliseconds. */
const AFTER_PASS_MS = 10
const AFTER_FAILURE_MS = 500

/** Messages between two looks at how much waits: it takes a sum over all partitions. */
const LOOK_EVERY = 32

/** Returns undefined while there is room, else a promise of it. */
export type Room = () => Promise<void> | undefined

/** Room in memory for all partitions together. */
export interface Rooms {
  /** Room for another message of the stream: where there is none, all partitions wait. */
  messageRoom: Room
  /** Room for another profile that is read. Messages that wait for profiles must not keep those from being read. */
  profileRoom: Room
}

export interface RoomsDeps {
  /** Returns the partitions in memory. */
  partitions: () => LoadedPartition[]
  /** Bytes that profiles may take in memory. */
  maxBytes: number
  /** Stores what waits, at once: the next pass may be half a second away. Resolves to whether all went well. */
  store: () => Promise<boolean>
  /** Returns whether waiting has to end. */
  isStopped: () => boolean
}

/** Creates the rooms of a set of partitions. */
export function createRooms({ partitions, maxBytes, store, isStopped }: RoomsDeps): Rooms {
  const forMessages = createRoom(() => isWaitingTooLarge(partitions(), maxBytes), store, isStopped)
  let sinceLook = 0
  let waiting: Promise<void> | undefined
  return {
    messageRoom() {
      if (!waiting && ++sinceLook < LOOK_EVERY) return undefined
      sinceLook = 0
      waiting = forMessages()
      return waiting
    },
    profileRoom: createRoom(() => isUnstoredTooLarge(partitions(), maxBytes), store, isStopped),
  }
}

function createRoom(isFull: () => boolean, store: () => Promise<boolean>, isStopped: () => boolean): Room {
  let waiting: Promise<void> | undefined

  async function untilRoom(): Promise<void> {
    while (!isStopped() && isFull()) await pause((await store()) ? AFTER_PASS_MS : AFTER_FAILURE_MS)
  }

  return () => {
    if (!waiting && !isFull()) return undefined
    waiting ??= untilRoom().finally(() => {
      waiting = undefined
    })
    return waiting
  }
}
