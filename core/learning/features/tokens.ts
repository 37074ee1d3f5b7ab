import { hash32, type JsonObject } from '@slotstream/protocol'

/**
 * Facts about a person and a request that models learn from. Models only get hashes of names and values.
 */
export interface LearningFacts {
  /** Context of the request: its top-level texts, numbers and booleans are used. */
  context?: Record<string, unknown>
  segments?: readonly string[]
  traits?: JsonObject
  /** Values of declared features. */
  features?: Record<string, unknown>
  /** Interest by category, not negative. */
  affinities?: Record<string, number>
  /**
   * Tokens from a record, in place of all facts above except `affinities`, by which categories are matched. Default:
   * none
   */
  tokens?: readonly number[]
}

/** Tokens, at most: the time of a decision grows with the square of their number. */
export const MAX_TOKENS = 10

/** Longest text that is used, in characters: longer ones are prose, not properties. */
const MAX_TEXT = 100

/**
 * Returns the facts about a person and a request as hashes of "name = value", distinct and independent of the order of
 * facts. The first `MAX_TOKENS` are kept, in this order: the request's context, the favourite category, segments,
 * traits, features; sorted by name within each.
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

/** Returns the text that stands for a value: numbers are binned, so that others share them. */
function textOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length <= MAX_TEXT ? `t${value}` : undefined
  if (typeof value === 'boolean') return `b${value}`
  if (typeof value === 'number' && Number.isFinite(value)) return `n${binOf(value)}`
  return undefined
}

/** Returns the bin of a number: whole numbers up to 4, then half octaves, by multiplication only: portable. */
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
