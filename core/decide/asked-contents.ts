import type { ReadContent } from '../catalog/clauses.js'
import { CONTENT_CLICK_RATE } from '../features/content/built-in-content.js'
import { type ContentRows, contentValues } from '../features/content/content-values.js'
import type { Feature, Features } from '../features/feature.js'

/** What was counted of the content of a site. */
export interface CountedContents {
  /** Returns what was counted of a content; undefined: nothing. */
  rowsOf(contentId: string): ContentRows | undefined
  /** For how long it may have lacked messages, in milliseconds. */
  ageMs: number
}

/** Features of content, as the conditions of one request read them: of each content they are worked out once. */
export interface AskedContents {
  read: ReadContent
  /** For how long they may have lacked messages, in milliseconds. */
  ageMs: number
  /** Returns the versions of features by name; of a rate those of the two that it is made of. */
  versionsOf(names: readonly string[]): [name: string, version: string][]
}

/**
 * Begins to read the features of content.
 *
 * @param names those that conditions read: no other is worked out
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

/** Returns a site's features with those of content alone that are asked for, and that a rate is made of. */
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
