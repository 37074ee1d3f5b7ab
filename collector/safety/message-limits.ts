import type { KeyKind, Site } from '@slotstream/protocol'
import { networkOf } from '@slotstream/runtime'
import { Failure } from '../http/failure.js'
import { createDebtBuckets, type DebtBuckets } from './debt-buckets.js'
import { createKnownVisitors, type KnownVisitors } from './known-visitors.js'
import { createPacer, type Pacer } from './pacer.js'
import { FREE_FLOW, type VisitorFlow } from './visitor-flow.js'

/** Networks and sites that are remembered at a time: 10 MB at most for each kind of limit. */
export const MAX_ADDRESSES = 100_000
export const MAX_SITES = 10_000

/** A rested payer has the tokens of so many seconds. */
const MESSAGE_BURST_SECONDS = 2
const VISITOR_BURST_SECONDS = 1
/**
 * New visitors of a large batch go on at so many times the rate of their address, so that its client isn't kept too
 * long.
 */
const ADDRESS_FLOW = 2

/** How long new visitors wait for their place in the flow of their site before further ones are rejected. */
const LONGEST_LINE_MS = 5_000

/** New visitors a second that each site may always bring, within its limit. */
const ALWAYS_PER_SECOND = 100

/** A message costs one token, and so does each part of a body of this size, in bytes: large messages cost more. */
const BYTES_PER_TOKEN = 4_096
/** Least cost of a request that is rejected as a whole after its body was read, for its address. */
const REFUSED_TOKENS = 20

/** Rates of messages and of visitors that are new to this collector, each a second. 0: no limit. */
export interface MessageRates {
  /** Of one address, with public keys. */
  addressMessagesPerSecond: number
  addressVisitorsPerSecond: number
  /** Of one site, with public keys. */
  siteMessagesPerSecond: number
  siteVisitorsPerSecond: number
  /** Of one site, with secret keys; addresses don't matter then. */
  secretMessagesPerSecond: number
  secretVisitorsPerSecond: number
}

/** The payer of a request, once its key is known. */
export interface Payer {
  /** Address of the client, in canonical spelling. */
  address: string
  site: Site
  /** Default: a public one. */
  key?: KeyKind
}

/** How many messages and new visitors clients may send. Who owes for earlier ones has to wait. */
export interface MessageLimits {
  /** @throws Failure `rate_limited` when the address owes */
  checkAddressDebt(address: string): void
  /**
   * A debt for new visitors is no matter here: it must not keep known visitors of the site from their answers.
   *
   * @throws Failure `rate_limited` when the site, by this kind of key, owes for messages
   */
  checkSiteDebt(site: Site, key?: KeyKind): void
  /**
   * Lets an address pay for a request that was rejected as a whole: for the bytes that arrived, and, where the body was
   * whole, for the work of looking into it. One that never comes costs nothing.
   */
  payRefused(address: string, bytes: number, isWhole: boolean): void
  /**
   * Lets a request in whose body was read, and lets it pay for the bytes.
   *
   * @throws Failure `rate_limited` when there is a debt by now: others were faster
   */
  admit(payer: Payer, bytes: number): Admission
}

/** Counts what one request has to be stored. */
export interface Admission {
  /**
   * Pays for messages and those of their visitors that are new, if need be with a debt.
   *
   * @returns how many visitors are new
   * @throws Failure `rate_limited` when some are new and the site owes for new visitors already, or too many wait
   */
  pay(messages: number, visitorIds: Iterable<string>): number
  /** Whether new visitors are let through more slowly than the limits say. */
  readonly isHeld: boolean
  /** Returns how long so many new visitors' messages have to wait for their place in the flow, in milliseconds. */
  pace(strangers: number): number
}

/** The buckets and the flow of one kind of payer. */
interface Purse {
  messages: DebtBuckets
  visitors: DebtBuckets
  flow: Pacer
  /** Returns the share of the limit of new visitors that flows now. */
  share: () => number
}

/** One payer's share of a purse. */
interface Share {
  purse: Purse
  owner: string
  /** The beginning of a sentence that names the payer. */
  whose: string
}

/**
 * @param now milliseconds; must not go back
 * @param flow tells how much of the limits of new visitors with public keys is let through. Default: all
 */
export function createMessageLimits(
  rates: MessageRates,
  now: () => number,
  flow: VisitorFlow = FREE_FLOW,
): MessageLimits {
  const visitors = createKnownVisitors()
  const addresses = purse(rates.addressMessagesPerSecond, rates.addressVisitorsPerSecond, MAX_ADDRESSES, ADDRESS_FLOW)
  const sites = {
    public: purse(rates.siteMessagesPerSecond, rates.siteVisitorsPerSecond, MAX_SITES, 1, flow.share),
    secret: purse(rates.secretMessagesPerSecond, rates.secretVisitorsPerSecond, MAX_SITES),
  }
  const ofAddress = (address: string): Share => ({
    purse: addresses,
    owner: networkOf(address),
    whose: 'this address sent',
  })
  const ofSite = ({ siteId }: Site, key: KeyKind = 'public'): Share => ({
    purse: sites[key],
    owner: siteId,
    whose: `this site's ${key} keys were used for`,
  })

  function checkMessages({ purse, owner, whose }: Share) {
    const wait = purse.messages.debt(owner, now())
    if (wait > 0) throw tooMany(whose, 'messages', wait)
  }

  function checkVisitors({ purse, owner, whose }: Share) {
    const wait = purse.visitors.debt(owner, now())
    if (wait > 0) throw tooMany(whose, 'messages of new visitors', wait)
    const line = purse.flow.wait(owner, now())
    if (line > LONGEST_LINE_MS) throw tooMany(whose, 'messages of new visitors', Math.ceil(line / 1_000))
  }

  function checkAddressDebt(address: string) {
    const share = ofAddress(address)
    checkMessages(share)
    checkVisitors(share)
  }

  return {
    checkAddressDebt,
    checkSiteDebt: (site, key) => checkMessages(ofSite(site, key)),
    payRefused(address, bytes, isWhole) {
      const { purse, owner } = ofAddress(address)
      purse.messages.spend(owner, Math.max(isWhole ? REFUSED_TOKENS : 0, tokensOf(bytes)), now())
    },
    admit({ address, site, key = 'public' }, bytes) {
      const bySite = ofSite(site, key)
      if (key === 'public') checkAddressDebt(address)
      checkMessages(bySite)
      const shares = key === 'public' ? [bySite, ofAddress(address)] : [bySite]
      let prepaid = Math.max(1, tokensOf(bytes))
      for (const { purse, owner } of shares) purse.messages.spend(owner, prepaid, now())
      return {
        pay(messages, visitorIds) {
          const strangers = strangersAmong(visitors, site.siteId, visitorIds)
          if (strangers.length > 0) checkVisitors(bySite)
          for (const visitorId of strangers) visitors.remember(site.siteId, visitorId)
          const paid = Math.min(prepaid, messages)
          prepaid -= paid
          for (const { purse, owner } of shares) {
            purse.messages.spend(owner, messages - paid, now())
            purse.visitors.spend(owner, strangers.length, now())
          }
          return strangers.length
        },
        isHeld: bySite.purse.share() < 1,
        pace(strangers) {
          const waits = shares.map(({ purse, owner }) => purse.flow.reserve(owner, strangers, now()))
          if (waits[0]! > 0) flow.wanted()
          return Math.max(...waits)
        },
      }
    },
  }
}

function purse(
  messagesPerSecond: number,
  visitorsPerSecond: number,
  maxKeys: number,
  flow = 1,
  shareOf = () => 1,
): Purse {
  const share = () => Math.min(1, Math.max(shareOf(), ALWAYS_PER_SECOND / visitorsPerSecond))
  return {
    messages: createDebtBuckets({ perSecond: messagesPerSecond, burstSeconds: MESSAGE_BURST_SECONDS, maxKeys }),
    visitors: createDebtBuckets({ perSecond: visitorsPerSecond, burstSeconds: VISITOR_BURST_SECONDS, maxKeys }),
    flow: createPacer({ perSecond: flow * visitorsPerSecond, maxKeys, share }),
    share,
  }
}

function strangersAmong(visitors: KnownVisitors, siteId: string, visitorIds: Iterable<string>): string[] {
  const strangers: string[] = []
  for (const visitorId of visitorIds) if (!visitors.knows(siteId, visitorId)) strangers.push(visitorId)
  return strangers
}

function tokensOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** Returns the failure of a client that sent too many of something, with the seconds after which it may come again. */
export function tooMany(whose: string, what: string, seconds: number): Failure {
  return new Failure('rate_limited', `${whose} too many ${what}: come again in ${seconds} s`, undefined, seconds)
}
