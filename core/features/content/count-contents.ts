import { type ContentAmounts, isId, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../../conditions/event-name.js'
import type { Feature, Features } from '../feature.js'
import { unitsOf } from '../input/exact-sum.js'
import { isScalar, numberOf } from '../input/scalar.js'
import { firstSlotBeside, slotOf, weightInSlot } from '../state/windows.js'
import { type AmountSums, amountBytes, createAmountSums, MAX_AMOUNTS_BYTES, textBytes } from './amounts.js'

/**
 * Amounts that messages add to the features of content, while those of an envelope are applied. Amounts beyond its
 * bytes are left out.
 */
export interface ContentCount {
  /** Takes a message of time `at`, in milliseconds since the epoch, that was not counted before. */
  add(message: StoredMessage, at: number): void
  /** Returns what all of them add, content by content. */
  amounts(): ContentAmounts[]
}

/** Begins to count messages in the features of the content that they name. */
export function countContents({ ofContent }: Features): ContentCount {
  const contents = new Map<string, { contentId: string; slotId: string; sums: AmountSums }>()
  let bytes = 0

  function sumsOf(contentId: string, slotId: string): AmountSums {
    const name = `${contentId}\0${slotId}`
    const entry = contents.get(name)
    if (entry) return entry.sums
    const sums = createAmountSums()
    contents.set(name, { contentId, slotId, sums })
    bytes += textBytes(contentId) + textBytes(slotId)
    return sums
  }

  function addTo(sums: AmountSums, { version, window }: Feature, at: number, units: number, key?: string) {
    const slot = slotOf(window, at)
    const first = firstSlotBeside(window, slot)
    if (sums.add(key === undefined ? [version, slot, first, units] : [version, slot, first, units, key]))
      bytes += amountBytes(key)
  }

  return {
    add(message, at) {
      const rules = ofContent.rulesByEvent.get(eventNameOf(message)) ?? ofContent.rulesOfAny
      const contentId = rules.length > 0 && Number.isFinite(at) ? contentOf(message) : undefined
      if (contentId === undefined) return
      const slotId = message.properties?.slotId
      for (const { feature, weight } of rules) {
        if (feature.matches && !feature.matches(message)) continue
        const { window } = feature
        const weightNow = window.kind === 'decay' ? weight * weightInSlot(window, at) : weight
        for (const { keys, values } of entriesIn(feature, message)) {
          const all = unitsOfAll(values, weightNow)
          if (all.length === 0) continue
          for (const key of keys)
            for (const units of all) {
              if (bytes > MAX_AMOUNTS_BYTES) return
              addTo(sumsOf(contentId, isId(slotId) ? slotId : ''), feature, at, units, key)
            }
        }
      }
    },
    amounts: () =>
      [...contents.values()].map(({ contentId, slotId, sums }) => ({ contentId, slotId, amounts: sums.list() })),
  }
}

/** Returns the content that a message names: as content, else as product. */
function contentOf({ properties }: StoredMessage): string | undefined {
  const named = properties?.contentId ?? properties?.product_id ?? properties?.sku
  const id = typeof named === 'number' ? String(named) : named
  return isId(id) ? id : undefined
}

/** Values of a message, and the keys under which they count: undefined for a feature without keys. */
interface Amounts {
  keys: Iterable<string | undefined>
  values: readonly unknown[]
}

/** Returns what a message adds: of a list that has both keys and values, element by element. */
function entriesIn({ readKeys, readValue, readEntries }: Feature, message: StoredMessage): Amounts[] {
  const entries = readEntries?.(message)
  if (entries) return entries.map(({ keys, values }) => ({ keys: namesOf(keys), values }))
  const values = listOf(readValue ? readValue(message) : 1)
  return [{ keys: readKeys ? namesOf(listOf(readKeys(message))) : [undefined], values }]
}

function namesOf(keys: readonly unknown[]): Set<string> {
  return new Set(keys.filter(isScalar).map(String))
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** Returns the sum of values in units: as few numbers as are exact, because each is added for each key. */
function unitsOfAll(values: readonly unknown[], weight: number): number[] {
  const sums: number[] = []
  for (const value of values) {
    const number = isScalar(value) ? numberOf(value) : undefined
    const units = number === undefined ? undefined : unitsOf(number * weight)
    if (!units) continue
    const sum = (sums.at(-1) ?? 0) + units
    if (sums.length > 0 && Number.isSafeInteger(sum)) sums[sums.length - 1] = sum
    else sums.push(units)
  }
  return sums.filter(units => units !== 0)
}
