import { type AmountSums, amountPortions, createAmountSums } from '@slotstream/core'
import type { ContentAmounts } from '@slotstream/protocol'

/** Memory of one amount in bytes, roughly, without its key. */
const AMOUNT_MEMORY = 200

/** Amounts that messages of one user of a browser add to the features of content, for one envelope. */
export interface ContentPart {
  userId: string
  /** Time when the latest of the messages was received. */
  receivedAt: string
  contents: ContentAmounts[]
}

/** Amounts that the history of a visitor adds to the features of content. */
export interface ContentHistory {
  /** Adds what a message does, of the versions that are wanted. Returns by how many bytes it has grown. */
  add(
    message: { userId: string; receivedAt: string; contents: readonly ContentAmounts[] },
    isWanted: (version: string) => boolean,
  ): number
  /**
   * Returns what there is of a version: users apart, because each may be deleted alone, in portions of a bounded size.
   */
  partsOf(version: string): ContentPart[]
}

interface OfUser {
  receivedAt: string
  /** Sums by content and slot. */
  contents: Map<string, { contentId: string; slotId: string; sums: AmountSums }>
}

/** Creates an empty history. */
export function createContentHistory(): ContentHistory {
  const versions = new Map<string, Map<string, OfUser>>()

  function sumsOf(version: string, userId: string, receivedAt: string, contentId: string, slotId: string): AmountSums {
    const users = versions.get(version) ?? new Map<string, OfUser>()
    const ofUser = users.get(userId) ?? { receivedAt, contents: new Map() }
    if (receivedAt > ofUser.receivedAt) ofUser.receivedAt = receivedAt
    versions.set(version, users.set(userId, ofUser))
    const name = `${contentId}\0${slotId}`
    const ofContent = ofUser.contents.get(name) ?? { contentId, slotId, sums: createAmountSums() }
    ofUser.contents.set(name, ofContent)
    return ofContent.sums
  }

  return {
    add({ userId, receivedAt, contents }, isWanted) {
      let grown = 0
      for (const { contentId, slotId, amounts } of contents)
        for (const amount of amounts) {
          if (!isWanted(amount[0])) continue
          const sums = sumsOf(amount[0], userId, receivedAt, contentId, slotId)
          if (sums.add(amount)) grown += AMOUNT_MEMORY + 2 * (amount[4]?.length ?? 0)
        }
      return grown
    },
    partsOf: version =>
      [...(versions.get(version) ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([userId, { receivedAt, contents }]) => {
          const all = [...contents.values()].map(({ contentId, slotId, sums }) => ({
            contentId,
            slotId,
            amounts: sums.list(),
          }))
          return amountPortions(all).map(portion => ({ userId, receivedAt, contents: portion }))
        }),
  }
}
