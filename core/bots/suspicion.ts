import type { FeatureCell, FeatureSlots, FeatureStates, Visit } from '@slotstream/protocol'
import { DEFAULT_FEATURES } from '../features/default-features.js'
import type { Feature, Features } from '../features/feature.js'
import { heldOf } from '../features/state/nothing.js'
import { valueAt } from '../features/state/pairs.js'

/** Pages of one visit at which a pace means something, and the paces that no person keeps up: milliseconds a page. */
export const RATE = { pages: 100, pageMs: 2_000, pageMsUnengaged: 5_000 } as const

/** A visit as long as this without a pause of half an hour, a click or activity is no person's. */
export const ENDLESS = { ms: 12 * 3_600_000, pages: 100 } as const

/**
 * Tiles of the feature `page_views_24h` in a row, how long each is, that hold nearly equally many pages, how many these
 * are at least on average, and the variance of their numbers by their mean at most. People come and go: without a
 * memory that would be 1 (Poisson), and 12 such tiles have 0.15 or less in one of a thousand cases.
 */
export const REGULAR = { tiles: 12, tileMs: 24 * 60_000, pages: 10, dispersion: 0.15 } as const

/**
 * Reason why a visitor seems to be a program. `rate`: pages in one visit faster than a person turns them. `endless`:
 * one visit of half a day without a click or any activity. `regular`: hours of equally many pages, without a click or
 * any activity. `crawler`: its user agent is that of a crawler which says who it is.
 */
export type SuspicionReason = 'rate' | 'endless' | 'regular' | 'crawler'

/** Evidence in a visitor's behaviour of whether it is a program. */
export interface Suspicion {
  isBot: boolean
  /** Empty where nothing speaks for it. */
  reasons: SuspicionReason[]
}

/** Nothing speaks for a program. */
export const NO_SUSPICION: Suspicion = { isBot: false, reasons: [] }

/**
 * Says whether what a visitor did is what a program does. Follows from the features' states alone: it needs no state of
 * its own, is the same in whatever order messages came, and is that of a person where the states of browsers were
 * folded. A visit counts for as long as visits are kept, 30 days; that it is a crawler counts for good.
 *
 * The rules read built-in features; where a site has replaced one of them, the rules that need it find nothing.
 */
export function suspicionOf(states: FeatureStates, features: Features): Suspicion {
  const [pagesOf, clicksOf, activityOf] = [
    sessionReader('session_page_views', features),
    sessionReader('session_clicks', features),
    sessionReader('session_engaged_time', features),
  ]
  const reasons = new Set<SuspicionReason>()
  let isEngaged = !clicksOf || !activityOf
  for (const visit of states.visits) {
    const [, startedAt, endedAt] = visit
    const isVisitEngaged = !clicksOf || !activityOf || clicksOf(visit) > 0 || activityOf(visit) > 0
    isEngaged ||= isVisitEngaged
    const pages = pagesOf?.(visit) ?? 0
    const ms = endedAt - startedAt
    const slowest = isVisitEngaged ? RATE.pageMs : RATE.pageMsUnengaged
    if (pages >= RATE.pages && ms < pages * slowest) reasons.add('rate')
    if (pages >= ENDLESS.pages && ms >= ENDLESS.ms && !isVisitEngaged) reasons.add('endless')
  }
  if (!isEngaged && isRegular(states, features)) reasons.add('regular')
  if (isCrawler(states, features)) reasons.add('crawler')
  return reasons.size === 0 ? NO_SUSPICION : { isBot: true, reasons: [...reasons].sort() }
}

/** Creates the function that reads a built-in feature of a visit; undefined where the site has none of the kind. */
function sessionReader(name: string, { byVersion }: Features): ((visit: Visit) => number) | undefined {
  const feature = builtIn(name, byVersion)
  return feature && (visit => Number(feature.aggregate.value(valueAt(visit[4], feature.version), 0)))
}

function builtIn(name: string, byVersion: Features['byVersion']): Feature | undefined {
  return byVersion.get(DEFAULT_FEATURES.byName.get(name)?.version ?? '')
}

/** Returns whether a message came from a crawler that says who it is. */
function isCrawler({ of: stateOf }: FeatureStates, { byVersion }: Features): boolean {
  const feature = builtIn('crawler', byVersion)
  return feature !== undefined && heldOf(stateOf[feature.version]) !== undefined
}

/** Returns whether there are tiles in a row with nearly the same number of pages. */
function isRegular(states: FeatureStates, { byVersion }: Features): boolean {
  const feature = builtIn('page_views_24h', byVersion)
  const slots = (feature && (states.of[feature.version]?.[1] as FeatureSlots | undefined)) ?? []
  let row: number[] = []
  let previous = Number.NaN
  for (let place = 0; place < slots.length; place += 2) {
    const slot = slots[place] as number
    const pages = Number(feature!.aggregate.value(slots[place + 1] as FeatureCell as number, 0))
    if (slot !== previous + 1) row = []
    row.push(pages)
    previous = slot
    // The first one of a row began in its middle.
    if (hasSteadyEnd(row.slice(1))) return true
  }
  return false
}

/** Returns whether the latest numbers of a row are many, large and nearly equal. */
function hasSteadyEnd(row: readonly number[]): boolean {
  const latest = row.slice(-REGULAR.tiles)
  if (latest.length < REGULAR.tiles) return false
  const mean = latest.reduce((sum, pages) => sum + pages, 0) / latest.length
  const variance = latest.reduce((sum, pages) => sum + (pages - mean) ** 2, 0) / latest.length
  return mean >= REGULAR.pages && variance <= REGULAR.dispersion * mean
}
