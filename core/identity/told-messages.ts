import {
  type Hearsay,
  idsOfVisitor,
  isPersonKey,
  type Links,
  type Profile,
  type Sender,
  type StoredMessage,
  visitorIdOf,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { MAX_TOLD_BROWSERS } from '../patterns/bounds.js'
import { timeOf } from '../profile/sessions.js'
import { joinedBrowsers, settleBrowser, settleUser, settleUsers, withLink } from './links.js'
import { userOfMessage } from './person.js'

/** Messages of a person's visitor that others of the person are told. */
export interface Telling extends Hearsay {
  /** Keys of the visitors. */
  visitors: string[]
  /** Kind of the messages' sender. Absent: `public` */
  sender?: Sender
}

type Linked = Pick<Profile, 'visitorId' | 'links'>

/**
 * Returns who is told of messages: of a browser's own its user, of a user's own the browsers, and of those that a
 * browser told its user the other browsers. So each visitor of the person hears of a message once. What is sent under
 * the id of a user who is not joined is the browser's own matter, as is what is unsigned.
 *
 * @param messages of one visitor, by one kind of sender
 */
export function tellingsOf(
  { visitorId, links }: Linked,
  messages: readonly StoredMessage[],
  sender: Sender,
): Telling[] {
  if (messages.length === 0 || !links || sender === 'unsigned') return []
  const tellings = isPersonKey(visitorId)
    ? tellBrowsers(idsOfVisitor(visitorId).userId, links, messages)
    : tellUsers(links, messages)
  return tellings.map(telling => (sender === 'public' ? telling : { ...telling, sender }))
}

function tellUsers(links: Links, messages: readonly StoredMessage[]): Telling[] {
  const settled = settleUsers(links)
  const byUser = new Map<string, StoredMessage[]>()
  for (const message of messages) {
    const userId = userOfMessage(message, settled)
    if (userId !== '') byUser.set(userId, [...(byUser.get(userId) ?? []), message])
  }
  return [...byUser].map(([userId, messages]) => ({ visitors: [visitorIdOf({ userId })], userId, messages }))
}

function tellBrowsers(userId: string, links: Links, messages: readonly StoredMessage[]): Telling[] {
  const from = messages[0]!.anonymousId
  const others = joinedBrowsers(userId, links).filter(browser => browser !== from)
  if (others.length === 0) return []
  const latest = others
    .sort((a, b) => links[b]!.lastAt - links[a]!.lastAt || compareTexts(a, b))
    .slice(0, MAX_TOLD_BROWSERS)
  return [{ visitors: latest.map(anonymousId => visitorIdOf({ anonymousId })), userId, messages: [...messages] }]
}

/**
 * Returns the messages that a visitor believes: those of visitors with whom it is one person, by what it knows itself.
 */
export function believed({ visitorId, links }: Linked, { userId, messages }: Hearsay): StoredMessage[] {
  if (!links) return []
  if (!isPersonKey(visitorId)) return settleUser(links, userId)?.state === 'joined' ? messages : []
  return messages.filter(
    ({ anonymousId }) => anonymousId && settleBrowser(userId, links, anonymousId)?.state === 'joined',
  )
}

/** Returns a user's links with when its browsers were heard of last: those browsers are told of others. */
export function linksAfterTold(links: Links | undefined, messages: readonly StoredMessage[]): Links | undefined {
  return messages.reduce((all, { anonymousId = '', timestamp }) => {
    const lastAt = timeOf(timestamp)
    const link = all && Object.hasOwn(all, anonymousId) ? all[anonymousId] : undefined
    return link && lastAt > link.lastAt ? withLink(all!, anonymousId, { lastAt }) : all
  }, links)
}
