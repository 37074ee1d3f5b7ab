import type { ContentAmounts } from '@slotstream/protocol'

/** Characters of one envelope at most, roughly: with its ids it stays far below the broker's 1 MB. */
const MAX_CHARACTERS = 300_000

/** Characters of one amount, and memory of it in bytes, roughly. */
const AMOUNT_CHARACTERS = 60
const AMOUNT_BYTES = 200

type Amount = ContentAmounts['amounts'][number]

/** What messages of one user of a browser add to the features of content, for one envelope. */
export interface ContentPart {
  userId: string
  /** When the latest of the messages was received. */
  receivedAt: string
  contents: ContentAmounts[]
}

/** What the history of a visitor adds to the features of content. */
export interface ContentHistory {
  /** Adds what a message does, of the versions that are wanted. Returns by how many bytes it has grown. */
  add(
    message: { userId: string; receivedAt: string; contents: readonly ContentAmounts[] },
    isWanted: (version: string) => boolean,
  ): number
  /** Returns what there is of a version: users apart, because each may be deleted alone, in portions of a bounded size. */
  partsOf(version: string): ContentPart[]
}

interface OfUser {
  receivedAt: string
  /** By content and slot, then by slot of time and key. */
  amounts: Map<string, { contentId: string; slotId: string; byTime: Map<string, Amount> }>
}

/** Creates an empty history. */
export function createContentHistory(): ContentHistory {
  const versions = new Map<string, Map<string, OfUser>>()

  function amountsOf(version: string, userId: string, receivedAt: string, contentId: string, slotId: string) {
    const users = versions.get(version) ?? new Map<string, OfUser>()
    const ofUser = users.get(userId) ?? { receivedAt, amounts: new Map() }
    if (receivedAt > ofUser.receivedAt) ofUser.receivedAt = receivedAt
    versions.set(version, users.set(userId, ofUser))
    const key = `${contentId}\0${slotId}`
    const ofContent = ofUser.amounts.get(key) ?? { contentId, slotId, byTime: new Map<string, Amount>() }
    ofUser.amounts.set(key, ofContent)
    return ofContent.byTime
  }

  return {
    add({ userId, receivedAt, contents }, isWanted) {
      let grown = 0
      for (const { contentId, slotId, amounts } of contents)
        for (const amount of amounts) {
          if (!isWanted(amount[0])) continue
          const byTime = amountsOf(amount[0], userId, receivedAt, contentId, slotId)
          const before = byTime.size
          addAmount(byTime, amount)
          grown += (byTime.size - before) * AMOUNT_BYTES
        }
      return grown
    },
    partsOf: version =>
      [...(versions.get(version) ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([userId, { receivedAt, amounts }]) => {
          const contents = [...amounts.values()].map(({ contentId, slotId, byTime }) => ({
            ...{ contentId, slotId },
            amounts: [...byTime.values()],
          }))
          return portions(contents).map(portion => ({ userId, receivedAt, contents: portion }))
        }),
  }
}

/** Adds to the sum of a slot of time, or begins another one where it would not be exact. */
function addAmount(byTime: Map<string, Amount>, amount: Amount): void {
  const [version, slot, first, units, key] = amount
  for (let name = `${slot}\0${key ?? ''}`; ; name += '\0') {
    const sum = (byTime.get(name)?.[3] ?? 0) + units
    if (!Number.isSafeInteger(sum)) continue
    byTime.set(name, key === undefined ? [version, slot, first, sum] : [version, slot, first, sum, key])
    return
  }
}

function portions(contents: readonly ContentAmounts[]): ContentAmounts[][] {
  const all: ContentAmounts[][] = []
  let characters = MAX_CHARACTERS
  for (const { contentId, slotId, amounts } of contents) {
    const size = (key = '') => AMOUNT_CHARACTERS + key.length
    let piece: ContentAmounts | undefined
    for (const amount of amounts) {
      characters += size(amount[4])
      if (characters > MAX_CHARACTERS) {
        all.push([])
        piece = undefined
        characters = contentId.length + slotId.length + size(amount[4])
      }
      if (!piece) {
        piece = { contentId, slotId, amounts: [] }
        characters += contentId.length + slotId.length
        all.at(-1)!.push(piece)
      }
      piece.amounts.push(amount)
    }
  }
  return all
}
