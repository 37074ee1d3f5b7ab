import type {
  FeatureCell,
  FeatureCells,
  FeatureRow,
  FeatureSlots,
  FeatureStates,
  Json,
  Visit,
} from '@slotstream/protocol'
import type { Feature, Features } from '../feature.js'
import { mergeCells } from './merge-cells.js'
import { heldOf } from './nothing.js'
import { entriesOf, runningSession, sessionValue, shaped } from './session-value.js'
import { firstSlotAt, hasSlots, type Window, weightOfSlot } from './windows.js'

type Decay = Extract<Window, { kind: 'decay' }>

/** A feature's value at a time, with what it was made of. */
export interface FeatureValue {
  value: Json
  version: string
  /** Stream sequence of the visitor's partition after which messages count; 0: all of them. */
  since: number
  /**
   * The history of the feature is being counted. Until then the value is that of what the site declared before, if any.
   */
  filling?: true
}

/**
 * Returns the values of a visitor's features at a time.
 *
 * @param at milliseconds since the epoch
 * @param names features that are wanted; default: all of the site
 */
export function featureValues(
  states: FeatureStates,
  features: Features,
  at: number,
  names: Iterable<string> = features.byName.keys(),
): Map<string, FeatureValue> {
  const values = new Map<string, FeatureValue>()
  let session: Visit | undefined
  for (const name of names) {
    const feature = features.byName.get(name)
    if (!feature) continue
    const { version, window } = feature
    if (window.kind === 'session') session ??= runningSession(states, features, at)
    const value = window.kind === 'session' ? sessionValue(session, feature, at) : featureValue(states, feature, at)
    const since = states.of[version]?.[0] ?? 0
    values.set(name, { value, version, since, ...(features.filling.has(name) && { filling: true }) })
  }
  return values
}

function featureValue(states: FeatureStates, feature: Feature, at: number): Json {
  const { window, version } = feature
  if (window.kind !== 'decay') return shaped(cellAt(states, feature, at), feature, at)
  return decayedValue((heldOf(states.of[version]) as FeatureSlots | undefined) ?? [], feature, window, at)
}

/** Returns what a feature holds of its window at a time, in one cell. It is of no session, and does not decay. */
export function cellAt(states: FeatureStates, feature: Feature, at: number): FeatureCell | undefined {
  const { window } = feature
  const cellOrSlots = heldOf(states.of[feature.version])
  if (!hasSlots(window)) return cellOrSlots as FeatureCell | undefined
  const slots = (cellOrSlots as FeatureSlots | undefined) ?? []
  const first = firstSlotAt(window, at)
  let cell: FeatureCell | undefined
  for (let place = 0; place < slots.length; place += 2) {
    if ((slots[place] as number) < first) continue
    const slotCell = slots[place + 1] as FeatureCell
    cell = cell === undefined ? slotCell : mergeCells(cell, slotCell, feature)
  }
  return cell
}

/** A decayed value below this is left out. */
const LEAST = 1e-6

function decayedValue(slots: FeatureSlots, feature: Feature, window: Decay, at: number): Json {
  const sums = new Map<string, number>()
  for (let place = 0; place < slots.length; place += 2) {
    const factor = weightOfSlot(window, slots[place] as number, at)
    const cell = slots[place + 1] as FeatureCell
    for (const [key, row] of feature.readKeys
      ? entriesOf(cell as FeatureCells, feature)
      : [['', cell as FeatureRow] as const])
      sums.set(key, (sums.get(key) ?? 0) + factor * (feature.aggregate.value(row, at) as number))
  }
  if (!feature.readKeys) return sums.get('') ?? 0
  return Object.fromEntries([...sums].filter(([, value]) => Math.abs(value) >= LEAST))
}
