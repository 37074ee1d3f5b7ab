import type { KeyValue } from '../platform/storage.js'

/** The id that the server keeps in a cookie, where browsers delete what scripts have stored. */
export function cookieId(cookies: string): string | undefined {
  return /(?:^|; )slotstream_id=([\w-]{1,64})/.exec(cookies)?.[1]
}

/** Deletes the cookie, or it would bring back a visitor that was to be forgotten. */
export function dropCookie(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in half of the browsers
  document.cookie = 'slotstream_id=;path=/;max-age=0'
}

export type Identity = ReturnType<typeof createIdentity>

/**
 * Ids of the browser's visitor. What was read is remembered, because reading storage for each of a thousand messages
 * costs.
 *
 * @param found finds an id elsewhere when the browser has none yet
 */
export function createIdentity(storage: KeyValue, newId: () => string, found: () => string | undefined) {
  let anonymousId: string | undefined
  let userId: string | undefined
  let signature: string | undefined
  const read = () => {
    if (anonymousId) return
    userId = storage.get('userId')
    signature = storage.get('signature')
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
    /** Everything, as a request for slots says it. */
    all() {
      read()
      return { anonymousId: anonymousId as string, userId, signature }
    },
    identify(id: string, proof?: string) {
      read()
      userId = id
      signature = proof
      storage.set('userId', id)
      storage.set('signature', proof)
    },
    /** Makes the browser known by an id from elsewhere. */
    adopt(id: string) {
      read()
      use(id)
    },
    /** Forgets the person, and what the browser did under them: the next visitor is a new one. */
    reset() {
      userId = signature = undefined
      storage.set('userId')
      storage.set('signature')
      use(newId())
    },
    /** Reads again: another tab has changed it. */
    refresh() {
      anonymousId = undefined
    },
  }
}
