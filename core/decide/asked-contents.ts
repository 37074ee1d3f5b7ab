import type { ReadContent } from '../catalog/clauses.js'
import { CONTENT_CLICK_RATE } from '../features/content/built-in-content.js'
import { type ContentRows, contentValues } from '../features/content/content-values.js'
import type { Feature, Features } from '../features/feature.js'

/** Counts of the content of a site, from which features of content are computed. */
export interface CountedContents {
  /** Returns the counts of a content; undefined: nothing was counted. */
  rowsOf(contentId: string): ContentRows | undefined
  /** Age of the counts: how long messages may have been missing from them, in milliseconds. */
  ageMs: number
}

/** Features of content, as the conditions of one request read them. They are computed once for each content. */
export interface AskedContents {
  read: ReadContent
  /** Age of the counts, in milliseconds. */
  ageMs: number
  /** Returns the versions of features by name; for a rate, those of the two features that it divides. */
  versionsOf(names: readonly string[]): [name: string, version: string][]
}

/**
 * Creates the reader of features of content for one request.
 *
 * @param names features that conditions read: no other is computed
 * @param now milliseconds since the epoch
 * @param counted Default: nothing was counted
 */
export function askContents(
  names: readonly string[],
  features: Features,
  now: number,
  counted: CountedContents = { rowsOf: () => undefined, ageMs: 0 },
): AskedContents {
  const askedFeatures = only(features, names)
  const readById = new Map<string, Readonly<Record<string, unknown>>>()

  function read(contentId: string): Readonly<Record<string, unknown>> {
    const before = readById.get(contentId)
    if (before) return before
    const values = contentValues(counted.rowsOf(contentId) ?? new Map(), askedFeatures, now)
    const byName = Object.fromEntries([...values].map(([name, { value }]) => [name, value]))
    readById.set(contentId, byName)
    return byName
  }

  return {
    read,
    ageMs: counted.ageMs,
    versionsOf: askedNames =>
      [...only(features, askedNames).ofContent.byName].map(([name, { version }]) => [name, version]),
  }
}

/** Returns the features of content that are named, and the two that the click rate divides if that is named. */
function only({ ofContent }: Features, names: readonly string[]): Pick<Features, 'ofContent'> {
  const { name: rate, clicks, views } = CONTENT_CLICK_RATE
  const isRate = names.includes(rate) && !ofContent.byName.has(rate)
  const byName = new Map<string, Feature>()
  for (const name of isRate ? [...names, clicks, views] : names) {
    const feature = ofContent.byName.get(name)
    if (feature) byName.set(name, feature)
  }
  return { ofContent: { ...ofContent, byName } }
}
