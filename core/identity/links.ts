import {
  hash32,
  isMeaningful,
  LINK_STATES,
  type Link,
  type LinkDecision,
  type LinkState,
  type Links,
  type LinkVerdict,
} from '@slotstream/protocol'

/**
 * Links that a profile keeps: of a browser, and of a user. Decisions stay, and of the others those of the smallest
 * hashes.
 */
const MAX_LINKS = 100

/** A limit on what is joined: of one side of links, within a window. */
interface Guard {
  name: string
  /** How many are joined at most: the first ones. Others are held back. */
  most: number
  /** Returns until when a link counts. */
  until(link: Link): number
}

/** Counts a user from the first to the latest message that named it on the browser. */
const USERS_PER_BROWSER: Guard = { name: 'users_per_browser', most: 5, until: ({ lastAt }) => lastAt }

/** Counts a browser when it first named the user: the user's partition hears of no later message. */
const BROWSERS_PER_USER: Guard = { name: 'browsers_per_user', most: 50, until: ({ firstAt }) => firstAt }

/** The window of guards, in milliseconds. */
const GUARD_WINDOW_MS = 30 * 24 * 3_600_000

/** Ids that many clients send for want of one, beside those that say nothing at all: a join by them is held back. */
const SHARED_IDS: ReadonlySet<string> = new Set([
  ...['-1', '[]', '{}', 'admin', 'anon', 'default', 'distinct_id', 'distinctid', 'email', 'lmy47d', 'n/a', 'na', 'nil'],
  ...['not_authenticated', 'test', 'unidentified', 'user', 'username', 'visitor', 'xxx'],
])

/** Names beside values that aren't there, as code joins them: `user-undefined`. */
const NAMED_NOTHING =
  /^(user|customer|member|visitor|client|account|u?id)?[-_:. ]*(undefined|null|nan)([-_:. ]*(undefined|null|nan))*$/

/** Longest text, brackets included, that is looked for among them. */
const MAX_SHARED_ID = 32

/** State of a link, and the reason for it. */
export interface SettledLink {
  state: LinkState
  cause: string
}

/**
 * Returns links with what is known of one more: a message that named both, a decision, or a verdict. None is changed.
 * Links without an id are none: some were stored of browsers that only a decision told of. A verdict alone makes none.
 */
export function withLink({ '': _none, ...links }: Links, other: string, observed: Partial<Link>): Links {
  if (other === '') return links
  const before = Object.hasOwn(links, other) ? links[other] : undefined
  if (!before && observed.verdict && observed.firstAt === undefined) return links
  const link: Link = before
    ? mergeLinks(before, observed)
    : {
        firstAt: observed.firstAt ?? Number.MAX_SAFE_INTEGER,
        lastAt: observed.lastAt ?? 0,
        cause: observed.cause ?? '',
      }
  if (!before && observed.decision) link.decision = observed.decision
  if (!before && observed.verdict) link.verdict = observed.verdict
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
  const verdict = laterVerdict(a.verdict, b.verdict)
  return {
    firstAt: Math.min(a.firstAt, firstAt),
    lastAt: Math.max(a.lastAt, lastAt),
    cause: isEarlier ? cause : a.cause,
    ...(decision && { decision }),
    ...(verdict && { verdict }),
  }
}

/** Returns the later of two decisions; of two of one moment, the one that keeps apart. */
function laterDecision(a: LinkDecision | undefined, b: LinkDecision | undefined): LinkDecision | undefined {
  if (!a || !b) return a ?? b
  if (a.at !== b.at) return a.at > b.at ? a : b
  return LINK_STATES.indexOf(a.state) >= LINK_STATES.indexOf(b.state) ? a : b
}

/** Returns the verdict of the later place; of two of one place, as of a rebuild, the one that holds back. */
function laterVerdict(a: LinkVerdict | undefined, b: LinkVerdict | undefined): LinkVerdict | undefined {
  if (!a || !b) return a ?? b
  if (a.seq !== b.seq) return a.seq > b.seq ? a : b
  return a.isHeld ? a : b
}

/**
 * Settles links: a decision counts first; a link that only a decision names is none unless that says `joined`; ids that
 * many share are held back; of the rest those are joined that find fewer than the guard's number of others within the
 * window before their first message, be those joined or held back, and that no guard of the other side holds back. So a
 * state follows from the messages' own times, in whatever order they came, and does not end as time passes.
 *
 * @param userOf returns the user of a link
 */
function settleLinks(links: Links, guard: Guard, userOf: (other: string) => string): Map<string, SettledLink> {
  const settled = new Map<string, SettledLink>()
  const inOrder = Object.entries(links).sort(([a, x], [b, y]) => x.firstAt - y.firstAt || (a < b ? -1 : 1))
  // Where links may have been left out, those that remain are too few in any window: all times are one.
  const window = isFull(links) ? Number.POSITIVE_INFINITY : GUARD_WINDOW_MS
  const earlier: number[] = []
  for (const [other, link] of inOrder) {
    if (other === '') continue
    const { cause, decision, firstAt, verdict } = link
    if (decision) settled.set(other, decision)
    else if (isShared(userOf(other))) settled.set(other, { state: 'held', cause: 'shared_id' })
    else {
      const others = earlier.length < guard.most ? earlier : earlier.filter(until => until > firstAt - window)
      if (others.length >= guard.most) settled.set(other, { state: 'held', cause: guard.name })
      else if (verdict?.isHeld) settled.set(other, { state: 'held', cause: BROWSERS_PER_USER.name })
      else settled.set(other, { state: 'joined', cause })
      earlier.push(guard.until(link))
    }
  }
  return settled
}

/** Returns whether there may be links that were left out. */
function isFull(links: Links): boolean {
  return Object.keys(links).length >= MAX_LINKS
}

/** Returns whether a user's id is one of many people. */
function isShared(userId: string): boolean {
  if (!isMeaningful(userId)) return true
  if (userId.length > MAX_SHARED_ID) return false
  const text = userId.trim().toLowerCase()
  // What languages write for a value that is not there: `(null)`, `<nil>`; and names in templates: `$user`, `:id`.
  const inner = text.replace(/^([[(<{$#%@:*|!]|__)+|([\])>}%*|]|__)+$/g, '')
  return SHARED_IDS.has(text) || SHARED_IDS.has(inner) || NAMED_NOTHING.test(inner) || !isMeaningful(inner)
}

/** Settles the links of a browser to users. */
export function settleUsers(links: Links): Map<string, SettledLink> {
  return settleLinks(links, USERS_PER_BROWSER, userId => userId)
}

/** Settles the links of a user to browsers. */
export function settleBrowsers(userId: string, links: Links): Map<string, SettledLink> {
  return settleLinks(links, BROWSERS_PER_USER, () => userId)
}

/** Settles the link of a browser to one user, also to one that was left out; undefined for one that it never named. */
export function settleUser(links: Links, userId: string): SettledLink | undefined {
  return settleUsers(links).get(userId) ?? leftOut(links, USERS_PER_BROWSER)
}

/** Settles the link of a user to one browser likewise. */
export function settleBrowser(userId: string, links: Links, browser: string): SettledLink | undefined {
  return settleBrowsers(userId, links).get(browser) ?? leftOut(links, BROWSERS_PER_USER)
}

function leftOut(links: Links, { name }: Guard): SettledLink | undefined {
  return isFull(links) ? { state: 'held', cause: name } : undefined
}

/**
 * Returns the function that tells whether a user's guard holds a browser back, in a way that the browser's own
 * partition cannot know: what is decided, and ids that many share, it knows.
 */
export function guardOfUser(userId: string, links: Links): (browser: string) => boolean {
  if (Object.keys(links).length <= BROWSERS_PER_USER.most || isShared(userId)) return () => false
  const settled = settleBrowsers(userId, links)
  return browser => {
    const state = settled.get(browser) ?? leftOut(links, BROWSERS_PER_USER)
    return state?.cause === BROWSERS_PER_USER.name && !links[browser]?.decision
  }
}

/** Returns the users who hear of a browser, each with whether the browser takes it that the user's guard holds it. */
export function usersToTell(links: Links): { userId: string; isHeld: boolean }[] {
  return [...settleUsers(links)].flatMap(([userId, { state, cause }]) => {
    const isHeld = state === 'held' && cause === BROWSERS_PER_USER.name && !links[userId]!.decision
    return isHeld || state === 'joined' ? [{ userId, isHeld }] : []
  })
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
