import {
  type EndingEvent,
  hash32,
  type KeptDecision,
  type Profile,
  type ServedDecision,
  type ShownContent,
  type StoredMessage,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { eventNameOf } from '../conditions/event-name.js'
import { settleUsers } from '../identity/links.js'
import { userOfMessage } from '../identity/person.js'
import { isAfter } from './times.js'

/**
 * Content that a profile keeps as not to be shown again, or as shown with an event that would end it, and events that
 * may end content: of each so many. Beyond that, those of the smallest hashes.
 */
export const MAX_STOPPED = 100

/**
 * Returns the content that the visitor is not shown again, in the order of hashes, after a message. Decisions have what
 * is beyond the bound of what was shown, as long as they are kept.
 */
export function withStopped(
  stopped: readonly string[],
  { decisions, shown }: { decisions: readonly KeptDecision[]; shown: readonly ShownContent[] },
  message: StoredMessage,
  at: number,
): readonly string[] {
  const event = eventNameOf(message)
  const all = new Set(stopped)
  for (const [contentId, stopAfter, firstAt] of shown)
    if (stopAfter === event && isAfter({ at: firstAt }, at)) all.add(contentId)
  for (const decision of decisions)
    for (const { stopAfter, contentId } of decision.items)
      if (stopAfter !== undefined && stopAfter === event && isAfter(decision, at)) all.add(contentId)
  if (all.size === stopped.length) return stopped
  return [...all].sort((a, b) => hash32(a) - hash32(b) || compareTexts(a, b)).slice(0, MAX_STOPPED)
}

/** Returns what the visitor was shown that an event may end, each with the time when it was shown first. */
export function withShown(shown: readonly ShownContent[], served: readonly ServedDecision[]): readonly ShownContent[] {
  let all = shown
  for (const { at, items } of served)
    for (const { contentId, stopAfter } of items)
      if (stopAfter !== undefined) all = withTime(all, [contentId, stopAfter, at], Math.min)
  return all
}

/** Returns the events of the visitor that may end content, each with its latest time, after one of them. */
export function withEnding(
  endings: readonly EndingEvent[],
  message: StoredMessage,
  at: number,
): readonly EndingEvent[] {
  if (Number.isNaN(at)) return endings
  return withTime(endings, [eventNameOf(message), message.userId ?? '', at], Math.max)
}

type Timed = [string, string, number]

/** Puts a time in its place. Smallest hashes stay whatever comes later, so the order of arrival does not matter. */
function withTime(list: readonly Timed[], [a, b, at]: Timed, choose: (x: number, y: number) => number) {
  const place = list.findIndex(entry => entry[0] === a && entry[1] === b)
  const before = list[place]?.[2]
  const time = before === undefined ? at : choose(before, at)
  if (time === before) return list
  if (before !== undefined) return list.with(place, [a, b, time])
  return [...list, [a, b, time] satisfies Timed].sort(compareTimed).slice(0, MAX_STOPPED)
}

function compareTimed([a, x]: Timed, [b, y]: Timed): number {
  return hash32(a) - hash32(b) || compareTexts(a, b) || compareTexts(x, y)
}

/**
 * Returns the content that a person is not shown again: what an event ended in the profile of a browser, and what the
 * person was shown on one browser and an event of theirs ended on another. Of a browser that several users share, those
 * events count that are the person's own. It follows from the profiles as they are: a browser that was taken out of the
 * person, or deleted, ends nothing.
 *
 * @param userId '' for a browser without a user
 */
export function stoppedOf(profiles: readonly Profile[], userId: string): string[] {
  const stopped = profiles.flatMap(({ stopped = [] }) => stopped)
  if (profiles.length < 2 || !profiles.some(({ shown }) => shown)) return stopped
  const ended = profiles.flatMap(profile => endingsOf(profile, userId))
  if (ended.length === 0) return stopped
  const all = new Set(stopped)
  for (const { visitorId, shown = [] } of profiles)
    for (const [contentId, stopAfter, at] of shown)
      if (ended.some(each => each.event === stopAfter && each.visitorId !== visitorId && isAfter({ at }, each.at)))
        all.add(contentId)
  return [...all]
}

function endingsOf({ visitorId, endings, links = {} }: Profile, userId: string) {
  if (!endings) return []
  const settled = settleUsers(links)
  return endings.flatMap(([event, user, at]) =>
    userOfMessage({ userId: user }, settled) === userId ? { event, visitorId, at } : [],
  )
}
