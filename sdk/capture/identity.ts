import type { KeyValue } from '../platform/storage.js'

/** Returns the id that the server keeps in a cookie, where browsers delete what scripts have stored. */
export function cookieId(cookies: string): string | undefined {
  return /(?:^|; )slotstream_id=([\w-]{1,64})(?:;|$)/.exec(cookies)?.[1]
}

/** Deletes the cookie, or it would bring back a visitor that was to be forgotten. */
export function dropCookie(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in half of the browsers
  document.cookie = 'slotstream_id=;path=/;max-age=0'
}

/**
 * Texts that the collector rejects as an id (`NO_ID`, its limits of length and characters). An id that is kept is in
 * every later message, and would make all of them invalid.
 */
export const NO_ID =
  /^["'\s[]*(undefined|null|none|nan|true|false|object \w*|anonymous|guest|unknown|(user|anonymous)?[_-]?id|[-0.]*)["'\s\]]*$|\0|.{257}/is

/**
 * Returns an id as text. Undefined, with a warning in the console, for values that are no ids, such as an object, or a
 * number that is rounded already.
 */
export function idText(id: unknown): string | undefined {
  const text = String(id)
  if (!NO_ID.test(text) && (typeof id !== 'number' || Number.isSafeInteger(id))) return text
  console.error('[slotstream] no id:', id)
  return undefined
}

export type Identity = ReturnType<typeof createIdentity>

/**
 * Creates the ids of the browser's visitor. What was read is remembered, because reading storage for each of a thousand
 * messages costs.
 *
 * @param findId finds an id elsewhere when the browser has none yet
 */
export function createIdentity(storage: KeyValue, newId: () => string, findId: () => string | undefined) {
  let anonymousId: string | undefined
  let userId: string | undefined
  let signature: string | undefined
  const valid = (id?: string) => (id && !NO_ID.test(id) ? id : undefined)
  const read = () => {
    if (anonymousId) return
    userId = valid(storage.get('userId'))
    signature = storage.get('signature')
    anonymousId = valid(storage.get('anonymousId'))
    if (!anonymousId) use(valid(findId()) ?? newId())
  }
  const use = (id: string) => {
    anonymousId = id
    storage.set('anonymousId', id)
  }
  return {
    /** Returns the ids and the proof of one, as a request for slots says them. */
    all() {
      read()
      return { anonymousId: anonymousId as string, userId, signature }
    },
    /** Tells whether an id is of another person than the identified one, and no new name of that person. */
    isOther(id: string): boolean {
      read()
      return !!userId && id !== userId && id !== storage.get('alias')
    },
    /** Takes note of a new name of the person. */
    rename(id: string) {
      storage.set('alias', id)
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
      if (valid(id)) use(id)
    },
    /** Forgets the person, and what the browser did under them: the next visitor is a new one. */
    reset() {
      userId = signature = undefined
      storage.set('userId')
      storage.set('signature')
      storage.set('alias')
      use(newId())
    },
    /** Reads again: another tab has changed it. */
    reread() {
      anonymousId = undefined
    },
  }
}
