import type { Members } from '@slotstream/protocol'
import { compareTexts } from '../../compare-texts.js'
import type { CompiledSegments } from '../compile-segments.js'
import { changesOf, type PersonAttributes } from '../membership.js'

/** A segment that a person entered or left. Times are milliseconds since the epoch. */
export interface MemberChange {
  segment: string
  kind: 'entered' | 'left'
  /** Time when the person entered. */
  since: number
  at: number
}

/** The segments that a person is in, and what changed. */
export interface MembersStep {
  members: Members
  changes: MemberChange[]
}

/** Returns the names of the segments that a person is in. */
export function namesOfMembers(members: Members = []): string[] {
  return members.map(([name]) => name)
}

/**
 * Returns the segments that a person is in at a time, and what changed since `before`. Segments that are no longer
 * defined go without being left.
 */
export function nextMembers(
  compiled: CompiledSegments,
  before: Members,
  attributes: PersonAttributes,
  at: number,
): MembersStep {
  const { entered, left, dropped } = changesOf(compiled, namesOfMembers(before), attributes)
  return changeMembers(before, { entered, left, dropped, at })
}

/** Returns what changed when a person may be in no segment at all. */
export function withoutMembers(before: Members, at: number): MembersStep {
  return changeMembers(before, { entered: [], left: namesOfMembers(before), at })
}

/** Returns the segments of a person after some were entered and left. What is so already changes nothing. */
export function changeMembers(
  before: Members,
  {
    entered,
    left,
    dropped = [],
    at,
  }: { entered: readonly string[]; left: readonly string[]; dropped?: string[]; at: number },
): MembersStep {
  const members = new Map(before)
  const changes: MemberChange[] = []
  for (const segment of left) {
    const since = members.get(segment)
    if (since === undefined) continue
    members.delete(segment)
    changes.push({ segment, kind: 'left', since, at })
  }
  for (const segment of dropped) members.delete(segment)
  for (const segment of entered) {
    if (members.has(segment)) continue
    members.set(segment, at)
    changes.push({ segment, kind: 'entered', since: at, at })
  }
  if (changes.length === 0 && members.size === before.length) return { members: before, changes }
  return { members: [...members].sort(([a], [b]) => compareTexts(a, b)), changes }
}
