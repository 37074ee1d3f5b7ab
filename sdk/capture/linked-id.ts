import { isUnder } from './domains.js'

/** Time a linked id is valid, in milliseconds: one click from page to page, too short for a URL to be passed on. */
const LINK_MS = 120_000

/**
 * Finds the id that a link carries, `slotstream_id=<id>.<milliseconds since the epoch>`. Only a page of one of the
 * owner's other domains may set it, or any site could make its visitors known to this one by an id that it chose.
 *
 * @param referrer URL of the page with the link, as the browser reports it; '' refuses the id
 * @param protocol the page's own: a page over HTTPS believes no other
 */
export function linkedId(
  search: string,
  now: number,
  referrer: string,
  domains: string | readonly string[] | undefined,
  protocol: string,
): string | undefined {
  const [, id, at] = /[?&]slotstream_id=([\w-]{1,64})\.(\d{13})(?=&|$)/.exec(search) ?? []
  const [, origin, host = ''] = /^(https?:)\/\/([^/]+)/.exec(referrer) ?? []
  const age = now - Number(at)
  const isOwners = (origin === 'https:' || origin === protocol) && isUnder(host, domains)
  return isOwners && age >= 0 && age < LINK_MS ? id : undefined
}

/** Returns the URL without linked ids, so that they aren't passed on with it. */
export function withoutLinkedId(href: string): string {
  return href.replace(/([?&])(?:slotstream_id=[^&#]*(&|(?=#|$)))+/g, (_, before, after) => after && before)
}
