import type {
  FeatureCell,
  FeatureCells,
  FeatureRow,
  FeatureSlots,
  FeatureStates,
  Json,
  Visit,
} from '@slotstream/protocol'
import { PAUSE_MS } from '../../profile/sessions.js'
import type { Feature, Features } from '../feature.js'
import { mergeCells } from './merge-cells.js'
import { heldOf } from './nothing.js'
import { valueAt } from './pairs.js'
import { joined } from './visits.js'
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
  const { window } = feature
  const cellOrSlots = heldOf(states.of[feature.version])
  if (!hasSlots(window)) return shaped(cellOrSlots as FeatureCell | undefined, feature, at)
  const slots = (cellOrSlots as FeatureSlots | undefined) ?? []
  if (window.kind === 'decay') return decayedValue(slots, feature, window, at)
  const first = firstSlotAt(window, at)
  let cell: FeatureCell | undefined
  for (let place = 0; place < slots.length; place += 2) {
    if ((slots[place] as number) < first) continue
    const slotCell = slots[place + 1] as FeatureCell
    cell = cell === undefined ? slotCell : mergeCells(cell, slotCell, feature)
  }
  return shaped(cell, feature, at)
}

/** A decayed value below this is left out. */
const LEAST = 1e-6

function decayedValue(slots: FeatureSlots, feature: Feature, window: Decay, at: number): Json {
  const sums = new Map<string, number>()
  for (let place = 0; place < slots.length; place += 2) {
    const factor = weightOfSlot(window, slots[place] as number, at)
    const cell = slots[place + 1] as FeatureCell
    for (const [key, row] of feature.readKeys ? entriesOf(cell as FeatureCells) : [['', cell as FeatureRow] as const])
      sums.set(key, (sums.get(key) ?? 0) + factor * (feature.aggregate.value(row, at) as number))
  }
  if (!feature.readKeys) return sums.get('') ?? 0
  return Object.fromEntries([...sums].filter(([, value]) => Math.abs(value) >= LEAST))
}

/** Returns a cell as what is told of it: one value, or values by key. */
function shaped(cell: FeatureCell | undefined, { aggregate, readKeys }: Feature, at: number): Json {
  if (!readKeys) return aggregate.value(cell as FeatureRow | undefined, at)
  return Object.fromEntries(
    entriesOf(cell as FeatureCells | undefined).map(([key, row]) => [key, aggregate.value(row, at)]),
  )
}

function entriesOf(cells: FeatureCells = []): [key: string, row: FeatureRow][] {
  const entries: [string, FeatureRow][] = []
  for (let place = 0; place < cells.length; place += 2)
    entries.push([cells[place] as string, cells[place + 1] as FeatureRow])
  return entries
}

function sessionValue(session: Visit | undefined, feature: Feature, at: number): Json {
  return shaped(session && valueAt<FeatureCell>(session[4], feature.version), feature, at)
}

/**
 * Returns the session that runs at a time: the latest one, unless it ended half an hour ago. Messages without a session
 * that are less than half an hour apart from it belong to it.
 */
export function runningSession({ visits }: FeatureStates, features: Features, at: number): Visit | undefined {
  let session: Visit | undefined
  for (const visit of visits) if (!session || isLater(visit, session)) session = visit
  if (!session || session[2] < at - PAUSE_MS) return undefined
  for (const visit of visits) {
    if (visit === session || visit[0] !== '' || visit[2] < session[1] - PAUSE_MS || visit[1] > session[2] + PAUSE_MS)
      continue
    session = joined(session, visit, features)
  }
  return session
}

/** Compares two intervals: named sessions take precedence over messages beside them. */
function isLater(a: Visit, b: Visit): boolean {
  if ((a[0] === '') !== (b[0] === '')) {
    const [named, unnamed] = a[0] === '' ? [b, a] : [a, b]
    const isBeside = unnamed[1] <= named[2] + PAUSE_MS && unnamed[2] >= named[1] - PAUSE_MS
    if (isBeside) return a === named
  }
  return a[2] > b[2] || (a[2] === b[2] && a[0] > b[0])
}
