import { namedInText, type Profile } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'
import type { Row } from './row.js'

/** Tells whether a row is from before the deletion of its person. */
export type RowForgotten = (row: Row, tombstones: Tombstones) => boolean

/** Decides by the ids of the row and the time when it happened. */
export function isRowForgotten({ source: { siteId, person } }: Row, tombstones: Tombstones): boolean {
  return person !== undefined && tombstones.isForgotten(siteId, person, Date.parse(person.time))
}

/** Decides by the ids in the text of a rejected message, and the time when it was received. */
export function isRejectedRowForgotten({ source }: Row, tombstones: Tombstones): boolean {
  const { siteId, receivedAt, payload } = source
  const named = namedInText(String(payload()))
  return named.some(ids => tombstones.isForgotten(siteId, ids, Date.parse(receivedAt)))
}

/** Decides by the time when the profile began. */
export function isProfileRowForgotten({ source }: Row, tombstones: Tombstones): boolean {
  const profile = source.payload() as Profile | null
  return profile !== null && tombstones.isProfileForgotten(profile)
}
