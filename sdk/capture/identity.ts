import type { KeyValue } from '../platform/storage.js'

/** How long a linked id is believed, in milliseconds: one click from page to page, too short for an address to be passed on. */
const LINK_MS = 120_000

/** The id that a link from another of the owner's domains carries: `slotstream_id=<id>.<milliseconds since the epoch>`. */
export function linkedId(search: string, now: number): string | undefined {
  const [, id, at] = /[?&]slotstream_id=([\w-]{1,64})\.(\d{13})(?=&|$)/.exec(search) ?? []
  return id && Math.abs(now - Number(at)) < LINK_MS ? id : undefined
}

/** The address without a linked id, so that it isn't passed on with the address. */
export function withoutLinkedId(href: string): string {
  return href.replace(/([?&])slotstream_id=[^&#]*&?/, '$1').replace(/[?&](?=#|$)/, '')
}

/** The id that the server keeps in a cookie, where browsers delete what scripts have stored. */
export function cookieId(cookies: string): string | undefined {
  return /(?:^|; )slotstream_id=([\w-]{1,64})/.exec(cookies)?.[1]
}

/** Takes the cookie away, or it would bring a visitor back who was to be forgotten. */
export function dropCookie(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in half of the browsers
  document.cookie = 'slotstream_id=;path=/;max-age=0'
}

export type Identity = ReturnType<typeof createIdentity>

/**
 * Who uses this browser. What was read is remembered, because reading storage for each of a thousand messages costs.
 *
 * @param found finds an id elsewhere when the browser has none yet
 */
export function createIdentity(storage: KeyValue, newId: () => string, found: () => string | undefined) {
  let anonymousId: string | undefined
  let userId: string | undefined
  const read = () => {
    if (anonymousId) return
    userId = storage.get('userId')
    anonymousId = storage.get('anonymousId')
    if (!anonymousId) use(found() ?? newId())
  }
  const use = (id: string) => {
    anonymousId = id
    storage.set('anonymousId', id)
  }
  return {
    anonymousId(): string {
      read()
      return anonymousId as string
    },
    userId(): string | undefined {
      read()
      return userId
    },
    identify(id: string) {
      read()
      userId = id
      storage.set('userId', id)
    },
    /** Makes the browser known by an id from elsewhere. */
    adopt(id: string) {
      read()
      use(id)
    },
    /** Forgets the person, and what the browser did under them: the next visitor is a new one. */
    reset() {
      userId = undefined
      storage.remove('userId')
      use(newId())
    },
    /** Reads again: another tab has changed it. */
    refresh() {
      anonymousId = undefined
    },
  }
}
