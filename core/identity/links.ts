import {
  hash32,
  isMeaningful,
  LINK_STATES,
  type Link,
  type LinkDecision,
  type LinkState,
  type Links,
} from '@slotstream/protocol'

/**
 * Links that a profile keeps: of a browser, and of a user. Decisions stay, and of the others those of the smallest
 * hashes.
 */
const MAX_LINKS = 100

/** Users of one browser, and browsers of one user, that are joined at most: the first ones. Others are held back. */
export const MAX_USERS = 5
export const MAX_BROWSERS = 50

/**
 * Ids that many clients send for want of one, beside those that collectors do not take: a join by them is held back.
 * A user may be called so, which is why the messages are taken.
 */
const SHARED_IDS: ReadonlySet<string> = new Set(['-1', 'nil', 'test'])

/** State of a link, and the reason for it. */
export interface SettledLink {
  state: LinkState
  cause: string
}

/** Returns links with what is known of one more: a message that named both, a decision, or both. None is changed. */
export function withLink(links: Links, other: string, observed: Partial<Link>): Links {
  const before = Object.hasOwn(links, other) ? links[other] : undefined
  const link: Link = before
    ? mergeLinks(before, observed)
    : {
        firstAt: observed.firstAt ?? Number.MAX_SAFE_INTEGER,
        lastAt: observed.lastAt ?? 0,
        cause: observed.cause ?? '',
      }
  if (!before && observed.decision) link.decision = observed.decision
  const next = new Map(Object.entries(links)).set(other, link)
  if (next.size > MAX_LINKS) next.delete([...next].reduce((a, b) => (leavesBefore(a, b) ? a : b))[0])
  return Object.fromEntries(next)
}

/** Returns whether the first link leaves before the second: no number of messages takes the place of a decision. */
function leavesBefore([a, linkA]: [string, Link], [b, linkB]: [string, Link]): boolean {
  if ((linkA.decision === undefined) !== (linkB.decision === undefined)) return linkA.decision === undefined
  return hash32(a) > hash32(b)
}

function mergeLinks(a: Link, b: Partial<Link>): Link {
  const { firstAt = a.firstAt, lastAt = a.lastAt, cause = a.cause } = b
  const isEarlier = firstAt < a.firstAt || (firstAt === a.firstAt && cause < a.cause)
  const decision = laterDecision(a.decision, b.decision)
  return {
    firstAt: Math.min(a.firstAt, firstAt),
    lastAt: Math.max(a.lastAt, lastAt),
    cause: isEarlier ? cause : a.cause,
    ...(decision && { decision }),
  }
}

/** Returns the later of two decisions; of two of one moment, the one that keeps apart. */
function laterDecision(a: LinkDecision | undefined, b: LinkDecision | undefined): LinkDecision | undefined {
  if (!a || !b) return a ?? b
  if (a.at !== b.at) return a.at > b.at ? a : b
  return LINK_STATES.indexOf(a.state) >= LINK_STATES.indexOf(b.state) ? a : b
}

/**
 * Settles links: a decision counts first; a link that only a decision names is none unless that says `joined`; ids that
 * many share are held back; of the rest the first ones are joined, up to `most`.
 *
 * @param userOf returns the user of a link
 */
export function settleLinks(
  links: Links,
  most: number,
  guard: string,
  userOf: (other: string) => string,
): Map<string, SettledLink> {
  const settled = new Map<string, SettledLink>()
  const inOrder = Object.entries(links).sort(([a, x], [b, y]) => x.firstAt - y.firstAt || (a < b ? -1 : 1))
  let joined = 0
  for (const [other, { cause, decision }] of inOrder) {
    if (decision) settled.set(other, decision)
    else if (isShared(userOf(other))) settled.set(other, { state: 'held', cause: 'shared_id' })
    else if (++joined > most) settled.set(other, { state: 'held', cause: guard })
    else settled.set(other, { state: 'joined', cause })
  }
  return settled
}

/** Returns whether a user's id is one of many people. */
function isShared(userId: string): boolean {
  return SHARED_IDS.has(userId.trim().toLowerCase()) || !isMeaningful(userId)
}

/** Settles the links of a browser to users. */
export function settleUsers(links: Links): Map<string, SettledLink> {
  return settleLinks(links, MAX_USERS, 'users_per_browser', userId => userId)
}

/** Settles the links of a user to browsers. */
export function settleBrowsers(userId: string, links: Links): Map<string, SettledLink> {
  return settleLinks(links, MAX_BROWSERS, 'browsers_per_user', () => userId)
}

/** Returns the users whom a browser is joined with. */
export function joinedUsers(links: Links): string[] {
  return joinedOf(settleUsers(links))
}

/** Returns the browsers that a user is joined with. */
export function joinedBrowsers(userId: string, links: Links): string[] {
  return joinedOf(settleBrowsers(userId, links))
}

function joinedOf(settled: ReadonlyMap<string, SettledLink>): string[] {
  return [...settled].filter(([, { state }]) => state === 'joined').map(([other]) => other)
}
