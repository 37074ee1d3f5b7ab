import { settleBrowser, settleUser } from '#core/identity/links.js'
import { messageAt } from '../features/some-features.js'
import type { createPeople } from '../patterns/people.js'

export const START = Date.UTC(2026, 0, 1)
export const DAY = 24 * 3_600_000
/** The key of the user whom the browsers name. */
export const USER = 'user:ann'

/** A message of a browser that names the user, on a day. */
export const named = (browser: string, day: number) => ({
  ...messageAt(START + day * DAY, 'page'),
  ...{ messageId: `${browser} ${day}`, anonymousId: browser, userId: 'ann' },
})

/** Returns which browsers are held back: as their own partitions have it, and as the user's does. */
export function heldOf({ profiles }: Pick<ReturnType<typeof createPeople>, 'profiles'>, browsers: readonly string[]) {
  const { links = {} } = profiles.get(USER)!
  const own = browsers.filter(browser => settleUser(profiles.get(browser)!.links!, 'ann')?.state === 'held')
  return [own, browsers.filter(browser => settleBrowser('ann', links, browser)?.state === 'held')] as const
}
