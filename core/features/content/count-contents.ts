import { type ContentAmounts, isId, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../../conditions/event-name.js'
import type { Feature, Features } from '../feature.js'
import { unitsOf } from '../input/exact-sum.js'
import { isScalar, numberOf } from '../input/scalar.js'
import { leastKeys } from '../state/pairs.js'
import { firstSlotBeside, slotOf, weightInSlot } from '../state/windows.js'
import { type AmountSums, createAmountSums } from './amounts.js'

/**
 * Sums to which one message adds, at most: several times what a usual one with lists adds to, and so few that a batch
 * of hostile ones does not become very many times its own bytes in the stream.
 */
export const MAX_SUMS_OF_MESSAGE = 200

/**
 * Amounts that messages add to the features of content, while those of an envelope are applied. What is left out is too
 * much of one message, whatever it comes with: so batches do not matter.
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
  function sumsOf(contentId: string, slotId: string): AmountSums {
    const name = `${contentId}\0${slotId}`
    const entry = contents.get(name)
    if (entry) return entry.sums
    const sums = createAmountSums()
    contents.set(name, { contentId, slotId, sums })
    return sums
  }

  function addTo(sums: AmountSums, { version, window }: Feature, at: number, units: number, key?: string) {
    const slot = slotOf(window, at)
    const first = firstSlotBeside(window, slot)
    sums.add(key === undefined ? [version, slot, first, units] : [version, slot, first, units, key])
  }

  return {
    add(message, at) {
      const rules = ofContent.rulesByEvent.get(eventNameOf(message)) ?? ofContent.rulesOfAny
      const contentId = rules.length > 0 && Number.isFinite(at) ? contentOf(message) : undefined
      if (contentId === undefined) return
      const slotId = message.properties?.slotId
      let left = MAX_SUMS_OF_MESSAGE
      for (const { feature, weight } of rules) {
        if (feature.matches && !feature.matches(message)) continue
        const { window } = feature
        const weightNow = window.kind === 'decay' ? weight * weightInSlot(window, at) : weight
        for (const [key, all] of unitsByKey(feature, message, weightNow)) {
          if (all.length > left) continue
          left -= all.length
          const sums = sumsOf(contentId, isId(slotId) ? slotId : '')
          for (const units of all) addTo(sums, feature, at, units, key)
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

/** Returns what a message adds under each key, in units: of more keys than are kept those of the smallest hashes. */
function unitsByKey(feature: Feature, message: StoredMessage, weight: number): [key: string | undefined, number[]][] {
  // Nearly always: messages are counted.
  if (!feature.readValue && !feature.readKeys) return unitsOf(weight) ? [[undefined, [unitsOf(weight)!]]] : []
  const byKey = new Map<string | undefined, number[]>()
  for (const { keys, values } of entriesIn(feature, message)) {
    const all = exactSums(values.flatMap(value => unitsIn(value, weight)))
    for (const key of keys) byKey.set(key, byKey.has(key) ? exactSums([...byKey.get(key)!, ...all]) : all)
  }
  const keysLeft = feature.readKeys ? leastKeys([...byKey.keys()] as string[], feature.keys) : [undefined]
  const unitsLeft = keysLeft.map((key): [string | undefined, number[]] => [key, byKey.get(key) ?? []])
  return unitsLeft.filter(([, units]) => units.length > 0)
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

/** Returns a value in units; nothing where it is no number. */
function unitsIn(value: unknown, weight: number): number[] {
  const number = isScalar(value) ? numberOf(value) : undefined
  const units = number === undefined ? undefined : unitsOf(number * weight)
  return units ? [units] : []
}

/** Returns the sum of numbers in units: as few numbers as are exact. */
function exactSums(all: readonly number[]): number[] {
  const sums: number[] = []
  for (const units of all) {
    const sum = (sums.at(-1) ?? 0) + units
    if (sums.length > 0 && Number.isSafeInteger(sum)) sums[sums.length - 1] = sum
    else sums.push(units)
  }
  return sums.filter(units => units !== 0)
}
