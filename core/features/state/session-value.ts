import type { FeatureCell, FeatureCells, FeatureRow, FeatureStates, Json, Visit } from '@slotstream/protocol'
import { PAUSE_MS } from '../../profile/sessions.js'
import type { Feature, Features } from '../feature.js'
import { shownPairs, valueAt } from './pairs.js'
import { joined } from './visits.js'

/** Returns the value of a feature of the session; that of nothing where no session runs. */
export function sessionValue(session: Visit | undefined, feature: Feature, at: number): Json {
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

/** Returns a cell as what is told of it: one value, or values by key. */
export function shaped(cell: FeatureCell | undefined, feature: Feature, at: number): Json {
  const { aggregate, readKeys } = feature
  if (!readKeys) return aggregate.value(cell as FeatureRow | undefined, at)
  return Object.fromEntries(
    entriesOf(cell as FeatureCells | undefined, feature).map(([key, row]) => [key, aggregate.value(row, at)]),
  )
}

/** Returns the keys that values are made of, with what they hold. */
export function entriesOf(cells: FeatureCells = [], { keys }: Feature): [key: string, row: FeatureRow][] {
  const entries: [string, FeatureRow][] = []
  const shown = shownPairs(cells, keys)
  for (let place = 0; place < shown.length; place += 2)
    entries.push([shown[place] as string, shown[place + 1] as FeatureRow])
  return entries
}
