import {
  isoTime,
  isPersonKey,
  type Link,
  type LinkDecision,
  type LinkedVisitor,
  type LinkState,
  visitorIdOf,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { type HashText, idOfTexts } from '../signals/signal-id.js'
import { type SettledLink, settleBrowser, settleUser } from './links.js'

/** A browser and a user as both of their partitions see them. */
export interface Merge {
  mergeId: string
  /** `anonymousId` of the browser. */
  browser: string
  userId: string
  /** Cause: the type of the first message of a join, the guard of a held one, or what was said of a decision. */
  cause: string
  /** Time when the state began: the first message, or the decision. ISO 8601 */
  at: string
  state: LinkState
  /** The latest decision; absent where messages and guards say the state. */
  decision?: LinkDecision
}

/** Returns the id of a merge, the same wherever it is asked for. */
export function mergeIdOf(siteId: string, browser: string, userId: string, hash: HashText): string {
  return idOfTexts([siteId, browser, userId], hash)
}

/**
 * Lists the merges of some visitors, in the order of the states' beginnings. A pair is joined where both of its sides
 * say so; the latest decision of either counts before.
 *
 * @param visitors whose merges are listed
 * @param visitorsByKey visitors by key, those whom the merges name among them: what is unknown says nothing
 */
export function mergesOf(
  siteId: string,
  visitors: readonly LinkedVisitor[],
  visitorsByKey: ReadonlyMap<string, LinkedVisitor>,
  hash: HashText,
): Merge[] {
  const merges = new Map<string, Merge>()
  for (const visitor of visitors)
    for (const { browser, userId } of pairsOf(visitor)) {
      const mergeId = mergeIdOf(siteId, browser, userId, hash)
      const keys = [visitorIdOf({ anonymousId: browser }), visitorIdOf({ userId })]
      const sides = keys.flatMap(key => sideOf(visitorsByKey.get(key), browser, userId) ?? [])
      const [first, ...rest] = sides
      if (first) merges.set(mergeId, { mergeId, browser, userId, ...stateOf([first, ...rest]) })
    }
  return [...merges.values()].sort((a, b) => compareTexts(a.at, b.at) || compareTexts(a.mergeId, b.mergeId))
}

/** Returns the browsers and users that a visitor's links name. */
export function pairsOf(visitor: LinkedVisitor): { browser: string; userId: string }[] {
  const { visitorId, anonymousId, userId, links = {} } = visitor
  return Object.keys(links).map(other =>
    isPersonKey(visitorId) ? { browser: other, userId } : { browser: anonymousId, userId: other },
  )
}

/** The link of a pair as one side has it. */
interface Side {
  /** Absent where it was left out of too many. */
  link?: Link
  settled: SettledLink
}

function sideOf(visitor: LinkedVisitor | undefined, browser: string, userId: string): Side | undefined {
  if (!visitor?.links) return undefined
  const { visitorId, links } = visitor
  const other = isPersonKey(visitorId) ? browser : userId
  const link = Object.hasOwn(links, other) ? links[other] : undefined
  const settled = isPersonKey(visitorId) ? settleBrowser(userId, links, browser) : settleUser(links, userId)
  return settled && { ...(link && { link }), settled }
}

function stateOf(sides: [Side, ...Side[]]): Pick<Merge, 'cause' | 'at' | 'state' | 'decision'> {
  const decisions = sides.flatMap(({ link }) => link?.decision ?? [])
  if (decisions.length > 0) {
    const decision = decisions.reduce((a, b) => (b.at > a.at ? b : a))
    return { state: decision.state, cause: decision.cause, at: isoTime(decision.at), decision }
  }
  const { settled } = sides.find(side => side.settled.state !== 'joined') ?? sides[0]
  return { ...settled, at: isoTime(Math.min(...sides.flatMap(({ link }) => link?.firstAt ?? []))) }
}
