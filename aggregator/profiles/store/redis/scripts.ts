import { defineScript } from 'redis'

/**
 * Compares the revision that a writer expects with that of the hash `KEYS[1]`, and makes the next one: microseconds
 * since the epoch, so that a server that was restored from a copy gives none out again, and more than the last one of
 * the partition in `KEYS[2]`.
 */
const NEXT_REVISION = `
local revision = redis.call('HGET', KEYS[1], 'revision') or '0'
if ARGV[1] ~= '' and ARGV[1] ~= revision then return false end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local new = string.format('%.0f', math.max(now, last + 1))
redis.call('SET', KEYS[2], new)
`

/** Keys that a script changes of one profile, all of one partition. */
export interface ProfilePlace {
  profile: string
  /** The partition's keys by the revision at which each was written last. */
  order: string
  /** Those of them whose change is not published yet. */
  unpublished: string
  /** The last revision of the partition. */
  counter: string
}

/** A write that happened: the new revision, and the sequence of the change that was published before; 0: none. */
export interface Written {
  revision: number
  published: number
}

/**
 * Writes a profile if it is at the revision that is expected. What follows from it in one step: an older state cannot
 * come over a newer one, whichever process sends it, and no change stays unpublished without a note.
 */
export const writeProfile = defineScript({
  NUMBER_OF_KEYS: 4,
  SCRIPT: `${NEXT_REVISION}
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'revision', new)
redis.call('ZADD', KEYS[3], new, ARGV[2])
redis.call('ZADD', KEYS[4], new, ARGV[2])
return {new, redis.call('HGET', KEYS[1], 'published') or '0'}`,
  parseCommand(parser, place: ProfilePlace, { key, value, expected }: ProfileWrite) {
    parser.pushKeys([place.profile, place.counter, place.order, place.unpublished])
    parser.push(expected === undefined ? '' : String(expected), key, value)
  },
  transformReply: (reply: unknown): Written | undefined =>
    Array.isArray(reply) ? { revision: Number(reply[0]), published: Number(reply[1]) } : undefined,
})

/** A value for a key of a partition; `expected` is the revision that it must have, undefined: any. */
export interface ProfileWrite {
  key: string
  value: string
  expected: number | undefined
}

/** Notes the sequence under which a profile's change was published; the note that it was not goes with it. */
export const notePublished = defineScript({
  NUMBER_OF_KEYS: 2,
  SCRIPT: `
local revision = redis.call('HGET', KEYS[1], 'revision')
if revision then redis.call('HSET', KEYS[1], 'published', ARGV[3]) end
if not revision or revision == ARGV[2] then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1`,
  parseCommand(parser, place: ProfilePlace, { key, revision, published }: Written & { key: string }) {
    parser.pushKeys([place.profile, place.unpublished])
    parser.push(key, String(revision), String(published))
  },
  transformReply: (reply: unknown) => reply === 1,
})

/** Removes a profile that is at a revision. Tells whether it was. */
export const removeProfile = defineScript({
  NUMBER_OF_KEYS: 3,
  SCRIPT: `
if (redis.call('HGET', KEYS[1], 'revision') or '0') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1`,
  parseCommand(parser, place: ProfilePlace, { key, revision }: { key: string; revision: number }) {
    parser.pushKeys([place.profile, place.order, place.unpublished])
    parser.push(key, String(revision))
  },
  transformReply: (reply: unknown) => reply === 1,
})

/** Writes a checkpoint if it is at the revision that is expected. */
export const writeCheckpoint = defineScript({
  NUMBER_OF_KEYS: 2,
  SCRIPT: `${NEXT_REVISION}
redis.call('HSET', KEYS[1], 'seq', ARGV[2], 'revision', new)
return new`,
  parseCommand(
    parser,
    place: { checkpoint: string; counter: string },
    { seq, expected }: { seq: number; expected: number | undefined },
  ) {
    parser.pushKeys([place.checkpoint, place.counter])
    parser.push(expected === undefined ? '' : String(expected), String(seq))
  },
  transformReply: (reply: unknown): number | undefined => (reply === null ? undefined : Number(reply)),
})
