import type { ContentAmounts } from '@slotstream/protocol'

/**
 * An addition to one feature of a content: version, slot of time, first slot of its window, units, and key if it has
 * keys.
 */
export type Amount = ContentAmounts['amounts'][number]

/**
 * Bytes of amounts that one envelope carries at most, so that it fits into a message of the broker, which takes 1 MB.
 */
const MAX_AMOUNTS_BYTES = 300_000

/** Bytes of an amount without its key, roughly. */
const AMOUNT_BYTES = 60

/** Amounts of one content in one slot, of each version, slot of time and key as few as are exact. */
export interface AmountSums {
  /** Returns whether that made the list longer. */
  add(amount: Amount): boolean
  list(): Amount[]
}

/** Creates an empty list. */
export function createAmountSums(): AmountSums {
  const all: Amount[] = []
  const latest = new Map<string, Amount>()
  return {
    add(amount) {
      const [version, slot, , units, key] = amount
      const name = `${version}\0${slot}\0${key ?? ''}`
      const sum = latest.get(name)
      if (sum && Number.isSafeInteger(sum[3] + units)) {
        sum[3] += units
        return false
      }
      const begun: Amount = [...amount]
      all.push(begun)
      latest.set(name, begun)
      return true
    },
    list: () => all,
  }
}

/** Returns how many bytes an amount with this key takes in an envelope, at most. */
function amountBytes(key = ''): number {
  return AMOUNT_BYTES + textBytes(key)
}

/** Returns how many bytes a text takes in JSON, at most: a visitor may send control characters, which take six. */
function textBytes(text: string): number {
  let bytes = 2
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0xd800 && code < 0xe000)) bytes += 6
    else bytes += code < 0x80 ? 2 : 3
  }
  return bytes
}

/** Cuts amounts into lists that fit into an envelope each; into none where there are none. */
export function amountPortions(contents: readonly ContentAmounts[]): ContentAmounts[][] {
  const all: ContentAmounts[][] = []
  let bytes = MAX_AMOUNTS_BYTES
  for (const { contentId, slotId, amounts } of contents) {
    const named = textBytes(contentId) + textBytes(slotId)
    let piece: ContentAmounts | undefined
    for (const amount of amounts) {
      const size = amountBytes(amount[4])
      if (bytes + size + (piece ? 0 : named) > MAX_AMOUNTS_BYTES) {
        all.push([])
        piece = undefined
        bytes = 0
      }
      if (!piece) {
        piece = { contentId, slotId, amounts: [] }
        all.at(-1)!.push(piece)
        bytes += named
      }
      piece.amounts.push(amount)
      bytes += size
    }
  }
  return all
}
