import { idOf } from '../../wire/ids/id-of.js'
import type { Profile } from '../profile/profile.js'
import { partitionOf, visitorIdOf } from '../visitors.js'

/** Computes a keyed hash of text, the same everywhere in one installation, as a token that a KV key may hold. */
export type KeyedHash = (text: string) => string

/** The ids of a person at a site, by what they say about other people's data. */
export interface Person {
  siteId: string
  userIds: string[]
  /** Browsers that came with one of `userIds`: what they sent under another userId belongs to another person. */
  browsers: string[]
  /** Browsers that were asked for by their own id: all they sent belongs to the person. */
  anonymousIds: string[]
}

/** The ids that a message, a row or a record names. */
export interface NamedIds {
  anonymousId?: string | undefined
  userId?: string | undefined
  /** Of `alias`: the id that `userId` replaces, of either kind. */
  previousId?: string | undefined
}

/** Times of deletion of one id, in milliseconds since the epoch: what is from then or before is rejected. */
export interface Tombstone {
  /** Of everything that names the id. */
  all?: number
  /** Of what names the id and no userId. */
  anonymous?: number
}

/** The two kinds of ids: a browser's and a person's. */
export type IdKind = 'anonymousId' | 'userId'

/**
 * How long a deletion is remembered, in days: longer than offline queues and the stream keep a message, and as long as
 * a backup may be that is ever restored.
 */
export const TOMBSTONE_DAYS = 400

/** Tells whether something that names these ids belongs to the person. */
export function belongsTo(person: Person, { anonymousId = '', userId = '', previousId = '' }: NamedIds): boolean {
  if (userId && person.userIds.includes(userId)) return true
  if (previousId && allIdsOf(person).includes(previousId)) return true
  if (!anonymousId) return false
  return person.anonymousIds.includes(anonymousId) || (!userId && person.browsers.includes(anonymousId))
}

/** Lists every id of the person, each once. */
export function allIdsOf({ userIds, browsers, anonymousIds }: Person): string[] {
  return [...new Set([...userIds, ...browsers, ...anonymousIds])]
}

/** Lists the keys of the person's profiles, each once. */
export function visitorsOf({ userIds, browsers, anonymousIds }: Person): string[] {
  const keys = [
    ...[...browsers, ...anonymousIds].map(anonymousId => visitorIdOf({ anonymousId })),
    ...userIds.map(userId => visitorIdOf({ userId })),
  ]
  return [...new Set(keys)]
}

/** Reads the ids of a message as a client wrote it; what is no usable id is left out. */
export function namedIn(raw: unknown): NamedIds {
  if (typeof raw !== 'object' || raw === null) return {}
  const { anonymousId, userId, previousId } = raw as Record<string, unknown>
  return { anonymousId: textId(anonymousId), userId: textId(userId), previousId: textId(previousId) }
}

function textId(value: unknown): string | undefined {
  const id = idOf(value)
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** Returns the key of an id's tombstone: it names the person to those who have the installation's key only. */
export function tombstoneKey(keyed: KeyedHash, siteId: string, kind: IdKind, id: string): string {
  return `${siteId}.${keyed(`tombstone\0${siteId}\0${kind}\0${id}`)}`
}

/** Joins two deletions of one id: the later time of each kind is in effect. */
export function joinTombstones(tombstone: Tombstone, other: Tombstone): Tombstone {
  const later = (kind: keyof Tombstone) => Math.max(tombstone[kind] ?? 0, other[kind] ?? 0)
  return { ...(later('all') && { all: later('all') }), ...(later('anonymous') && { anonymous: later('anonymous') }) }
}

/**
 * Tells whether something is from before the deletion of a person that it names.
 *
 * @param find looks up the tombstone of an id
 * @param time when it happened, in milliseconds since the epoch
 */
export function isForgotten(
  find: (kind: IdKind, id: string) => Tombstone | undefined,
  { anonymousId, userId, previousId }: NamedIds,
  time: number,
): boolean {
  const covers = (kind: IdKind, id: string | undefined, withAnonymous: boolean) => {
    const tombstone = id ? find(kind, id) : undefined
    return (
      tombstone !== undefined && time <= Math.max(tombstone.all ?? 0, withAnonymous ? (tombstone.anonymous ?? 0) : 0)
    )
  }
  return (
    covers('userId', userId, true) ||
    covers('anonymousId', anonymousId, !userId) ||
    covers('userId', previousId, true) ||
    covers('anonymousId', previousId, true)
  )
}

/**
 * Tells whether a profile began before the deletion of its browser or person: it mixes all that its browser did, so it
 * is deleted as a whole.
 */
export function isProfileForgotten(
  find: (kind: IdKind, id: string) => Tombstone | undefined,
  { anonymousId, userId, firstSeen }: Pick<Profile, 'anonymousId' | 'userId' | 'firstSeen'>,
): boolean {
  const since = Date.parse(firstSeen)
  const covers = (kind: IdKind, id: string) => {
    const { all = 0, anonymous = 0 } = (id && find(kind, id)) || {}
    return since <= Math.max(all, anonymous)
  }
  return covers('anonymousId', anonymousId) || covers('userId', userId)
}

/** Returns the key of a visitor's profile in its bucket: `<partition>.<siteId>.<keyed hash of the visitor>`. */
export function profileKey(
  keyed: KeyedHash,
  { siteId, visitorId }: { siteId: string; visitorId: string },
  partitions: number,
): string {
  return `${partitionOf(siteId, visitorId, partitions)}.${siteId}.${keyed(`profile\0${siteId}\0${visitorId}`)}`
}

/** Returns the request-reply subject on which the owner of a partition drops the profiles of visitors. */
export function forgetSubject(partition: number): string {
  return `forget.${partition}`
}

/** Request-reply subject on which a person's data is asked for. */
export const EXPORT_SUBJECT = 'people.export'

/** Request to the owner of a partition: to drop profiles that began at `before` or earlier, in ms since the epoch. */
export interface ForgetRequest {
  siteId: string
  visitorIds: string[]
  before: number
  /**
   * Links that profiles of others lose, with what they were told of a person's other visitors: the key of the
   * profile, and the browser that is deleted; '' where there is no link. Absent: none.
   */
  links?: [visitorId: string, anonymousId: string][]
}

/**
 * Header of an export's requests and answers that says what they are when they are no lines: `working`, nothing was
 * found since the last one; `more`, asks whether the lines before are on their way; `failed`, the export broke off. Of
 * an answer: `reading`, the client still reads them; `busy`, too many exports are running.
 */
export const EXPORT_HEADER = 'Slotstream-Export'

/** How long either side of an export is silent at most, in milliseconds: whatever it waits for. */
export const EXPORT_ALIVE_MS = 10_000

/**
 * Request for an export: the lines go to `inbox` as requests, each of which is answered when there is room. One without
 * data and header is the last.
 */
export interface ExportRequest {
  siteId: string
  id: string
  as?: IdKind
  inbox: string
}

/** The deletion of a person, as the bucket `jobs` keeps it. Times are ISO 8601. */
export interface PersonJob {
  jobId: string
  siteId: string
  /** Keyed hash of the id that was asked for. */
  person: string
  state: 'running' | 'done' | 'failed'
  /** From 0 to 1. */
  progress: number
  /** The step that is being done, or waited for. */
  step: string
  /** Steps that are behind it. */
  done: JobStep[]
  /** Whatever is from then or before is deleted. */
  before: string
  createdAt: string
  finishedAt?: string
  error?: string
  /** Rows, messages or profiles removed, by place. */
  report: Record<string, number>
  /** Tables of the database that it doesn't know, such as those of your own views: they are to be rebuilt. */
  otherTables?: string[]
  /** The ids, encrypted with the installation's key; gone when it is done. */
  sealed?: string
}

/** The steps of a deletion, in their order. */
export const JOB_STEPS = ['find', 'streams', 'profiles', 'tables', 'lake', 'check'] as const

export type JobStep = (typeof JOB_STEPS)[number]
