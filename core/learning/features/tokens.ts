import { hash32, type JsonObject } from '@slotstream/protocol'

/**
 * Facts of a person and a request that models learn from. All but the names and values of tokens stays outside of
 * models.
 */
export interface LearningFacts {
  /** The request's own: its top-level texts, numbers and booleans. */
  context?: Record<string, unknown>
  segments?: readonly string[]
  traits?: JsonObject
  /** Values of declared features. */
  features?: Record<string, unknown>
  /** Interest by category, not negative. */
  affinities?: Record<string, number>
  /**
   * Tokens as a record has them: they stand for all facts above, but for how interests match categories. Default: none
   */
  tokens?: readonly number[]
}

/** Tokens, at most: the decision's time grows with the square of their number. */
export const MAX_TOKENS = 10

/** Texts that are longer say something to people, not about them. */
const MAX_TEXT = 100

/**
 * Returns what is known of a person and a request as numbers that stand for "name = value", without repeats, the same
 * for the same facts in any order. Beyond `MAX_TOKENS`, those are left out that say less of a choice: the request's
 * context goes first, then segments, traits, features, and the favourite category, by name within each.
 */
export function tokensOf({ context, segments, traits, features, affinities, tokens }: LearningFacts): number[] {
  if (tokens) return tokens.slice(0, MAX_TOKENS)
  const favourite = favouriteOf(affinities ?? {})
  const texts = new Set<string>()
  addNamed(texts, 'context', context)
  if (favourite !== undefined) texts.add(`likes\0${favourite}`)
  for (const name of [...(segments ?? [])].sort()) texts.add(`segment\0${name}`)
  addNamed(texts, 'trait', traits)
  addNamed(texts, 'feature', features)
  return [...texts].slice(0, MAX_TOKENS).map(hash32)
}

function addNamed(texts: Set<string>, kind: string, values: Record<string, unknown> | undefined): void {
  if (!values) return
  for (const name of Object.keys(values).sort()) {
    const value = textOfValue(values[name])
    if (value !== undefined) texts.add(`${kind}\0${name}\0${value}`)
  }
}

/** Texts and booleans stand for themselves, numbers for half an octave: coarse enough that others have the same. */
function textOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length <= MAX_TEXT ? `t${value}` : undefined
  if (typeof value === 'boolean') return `b${value}`
  if (typeof value === 'number' && Number.isFinite(value)) return `n${binOf(value)}`
  return undefined
}

/** Numbers up to 4 by themselves, larger ones by half octave, found by multiplication alone: the same everywhere. */
function binOf(value: number): number {
  const size = Math.abs(value)
  let bin = Math.round(Math.min(size, 4))
  for (let end = 4 * Math.SQRT2; size >= end && bin < 200; end *= Math.SQRT2) bin++
  return value < 0 ? -bin : bin
}

function favouriteOf(affinities: Record<string, number>): string | undefined {
  let favourite: string | undefined
  let most = 0
  for (const [category, value] of Object.entries(affinities))
    if (value > most || (value === most && favourite !== undefined && category < favourite)) {
      favourite = category
      most = value
    }
  return favourite
}
