import { type ContentAmounts, isId, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../../conditions/event-name.js'
import type { Feature, Features } from '../feature.js'
import { unitsOf } from '../input/exact-sum.js'
import { isScalar, numberOf } from '../input/scalar.js'
import { firstSlotBeside, slotOf, weightInSlot } from '../state/windows.js'

/** Characters that the amounts of one envelope take, roughly, at most: they are published in one message. What is beyond is left out. */
const MAX_CHARACTERS = 300_000

/** Characters of one amount, roughly. */
const AMOUNT_CHARACTERS = 60

/** What messages add to the features of content, while those of an envelope are applied. */
export interface ContentCount {
  /** Takes a message of time `at`, in milliseconds since the epoch, that was not counted before. */
  add(message: StoredMessage, at: number): void
  /** Returns what all of them add, content by content. */
  amounts(): ContentAmounts[]
}

/** Begins to count messages in the features of the content that they name. */
export function countContents({ ofContent }: Features): ContentCount {
  const amounts = new Map<string, ContentAmounts>()
  let characters = 0

  function amountsOf(contentId: string, slotId: string): ContentAmounts {
    const key = `${contentId}\0${slotId}`
    const known = amounts.get(key) ?? { contentId, slotId, amounts: [] }
    if (!amounts.has(key)) characters += key.length
    amounts.set(key, known)
    return known
  }

  function addTo(
    list: ContentAmounts['amounts'],
    { version, window }: Feature,
    at: number,
    units: number,
    key?: string,
  ) {
    const slot = slotOf(window, at)
    const first = firstSlotBeside(window, slot)
    const same = list.find(each => each[0] === version && each[1] === slot && each[4] === key)
    if (same && Number.isSafeInteger(same[3] + units)) same[3] += units
    else {
      list.push(key === undefined ? [version, slot, first, units] : [version, slot, first, units, key])
      characters += AMOUNT_CHARACTERS + (key?.length ?? 0)
    }
  }

  return {
    add(message, at) {
      const rules = ofContent.rulesByEvent.get(eventNameOf(message)) ?? ofContent.rulesOfAny
      const contentId = rules.length > 0 && Number.isFinite(at) ? contentOf(message) : undefined
      if (contentId === undefined) return
      const slotId = message.properties?.slotId
      for (const { feature, weight } of rules) {
        if (characters > MAX_CHARACTERS) return
        if (feature.matches && !feature.matches(message)) continue
        for (const units of unitsIn(feature, weight, message, at))
          for (const key of keysIn(feature, message))
            addTo(amountsOf(contentId, isId(slotId) ? slotId : '').amounts, feature, at, units, key)
      }
    },
    amounts: () => [...amounts.values()],
  }
}

/** Returns the content that a message names: as content, else as product. */
function contentOf({ properties }: StoredMessage): string | undefined {
  const named = properties?.contentId ?? properties?.product_id ?? properties?.sku
  const id = typeof named === 'number' ? String(named) : named
  return isId(id) ? id : undefined
}

/** Returns the keys by which a message counts; undefined for a feature without keys. */
function keysIn({ readKeys }: Feature, message: StoredMessage): Iterable<string | undefined> {
  if (!readKeys) return [undefined]
  const found = readKeys(message)
  return new Set((Array.isArray(found) ? found : [found]).filter(isScalar).map(String))
}

function unitsIn({ readValue, window }: Feature, weight: number, message: StoredMessage, at: number): number[] {
  const weightNow = window.kind === 'decay' ? weight * weightInSlot(window, at) : weight
  const found = readValue ? readValue(message) : 1
  return (Array.isArray(found) ? found : [found]).flatMap(value => {
    const number = isScalar(value) ? numberOf(value) : undefined
    return (number !== undefined && unitsOf(number * weightNow)) || []
  })
}
