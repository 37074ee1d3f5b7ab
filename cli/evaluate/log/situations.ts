import { type LoggedSituation, parseFacts } from '@slotstream/core'
import { parseJson, type RecordedFacts } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import type { RecordedDraws } from '../draws/recorded-draws.js'
import { ownCopy } from './own-copy.js'

/** Fields of a record that say what was eligible and known. */
export interface SituationTexts {
  position: number
  /** JSON list of what was eligible: ids, or [id, chance], or objects with `content_id` and `probability`. */
  candidates?: string | undefined
  /** JSON list of the ids above. */
  above?: string | undefined
  /** JSON object of interests by category. */
  affinities?: string | undefined
  /** JSON object of what the logging policy read: `tokens`, `segments`, `items`. */
  known?: string | undefined
  /** Number of the recorded draw, which says of all content whether it could be shown. */
  draw?: number | undefined
}

/** Situations of a log, each once: rows share those that are equal. */
export interface Situations {
  list: LoggedSituation[]
  /**
   * Returns the number of a situation.
   *
   * @param where of the record, for messages
   * @throws CommandError where a text is not what it must be
   */
  numberOf(texts: SituationTexts, where: string): number
  /** Tells each situation of a recorded draw what could be shown by it, once all is known by name. */
  settle(draws: Pick<RecordedDraws, 'situationOf' | 'countOf'>): void
}

/**
 * Makes an empty list of situations.
 *
 * @param actionOf returns the number of an id
 */
export function createSituations(actionOf: (id: string) => number): Situations {
  const list: LoggedSituation[] = []
  const numbers = new Map<string, number>()
  const candidatesOf = remember(text => eligibleOf(parseList(text), actionOf))
  const affinitiesOf = remember(parseInterests)
  /** Numbers of the draws of situations that have one. */
  const drawn = new Map<number, number>()
  const knownOf = remember(knownIn)
  let lastTexts: SituationTexts | undefined
  let last = 0
  const make = ({ position, candidates, above, affinities, known: factsText }: SituationTexts): LoggedSituation => ({
    position,
    ...(candidates !== undefined && candidatesOf(candidates)),
    above: above === undefined ? [] : parseList(above).map(id => actionOf(String(id))),
    ...(affinities !== undefined && { affinities: affinitiesOf(affinities) }),
    ...(factsText !== undefined && knownOf(factsText)),
  })
  return {
    list,
    numberOf(texts, where) {
      if (lastTexts && isSame(texts, lastTexts)) return last
      const { position, candidates = '', above = '', affinities = '', known: factsText = '', draw = '' } = texts
      const key = `${position}\0${candidates}\0${above}\0${affinities}\0${factsText}\0${draw}`
      let number = numbers.get(key)
      if (number === undefined) {
        number = list.length
        try {
          list.push(make(texts))
        } catch (error) {
          throw new CommandError(`${where}: ${(error as Error).message}`)
        }
        numbers.set(key, number)
        if (texts.draw !== undefined) drawn.set(number, texts.draw)
      }
      lastTexts = texts
      last = number
      return number
    },
    settle(draws) {
      for (const [number, draw] of drawn) {
        const { eligible, possible: _, chances: __, ...rest } = list[number]!
        const showable = draws.situationOf(draw)
        // A list that has not all that could be shown is worse than none.
        if (showable) list[number] = { ...rest, ...showable }
        else if (eligible && eligible.length < draws.countOf(draw)) list[number] = rest
      }
    },
  }
}

function isSame(a: SituationTexts, b: SituationTexts): boolean {
  return (
    a.position === b.position &&
    a.candidates === b.candidates &&
    a.above === b.above &&
    a.affinities === b.affinities &&
    a.known === b.known &&
    a.draw === b.draw
  )
}

/** Equal texts yield the same object, so that policies are asked once for each. */
function remember<T>(parse: (text: string) => T): (text: string) => T {
  const parsedTexts = new Map<string, T>()
  return text => {
    const cached = parsedTexts.get(text)
    if (cached !== undefined) return cached
    const parsed = parse(text)
    parsedTexts.set(ownCopy(text), parsed)
    return parsed
  }
}

/** Returns the ids with their chances, where these are given for all. */
function eligibleOf(
  entries: unknown[],
  actionOf: (id: string) => number,
): Pick<LoggedSituation, 'eligible' | 'possible' | 'chances'> {
  const pairs = entries.map(entry => {
    if (Array.isArray(entry)) return { id: entry[0], chance: entry.length > 1 ? entry.at(-1) : undefined }
    if (typeof entry !== 'object' || entry === null) return { id: entry, chance: undefined }
    const { content_id: id, probability: chance } = entry as Record<string, unknown>
    return { id, chance }
  })
  if (pairs.some(({ id }) => typeof id !== 'string' && typeof id !== 'number'))
    throw new Error(
      'candidates must be a JSON list of ids, of [id, chance], or of objects with content_id and probability',
    )
  // Something was shown, so an empty list means that it was not recorded.
  if (pairs.length === 0) return {}
  const eligible = pairs.map(({ id }) => actionOf(String(id)))
  if (pairs.some(({ chance }) => chance === undefined)) return { eligible }
  const possible = pairs.map(({ chance }) => Number(chance) > 0)
  return pairs.every(({ chance }) => typeof chance === 'number')
    ? { eligible, possible, chances: pairs.map(({ chance }) => Number(chance)) }
    : { eligible, possible }
}

function parseList(text: string): unknown[] {
  const value = jsonValueOf(text === '' ? '[]' : text)
  if (!Array.isArray(value)) throw new Error(`candidates and above must be JSON lists, not ${text.slice(0, 80)}`)
  return value
}

/** Logs of before it was recorded have an empty text. */
function knownIn(text: string): { known?: RecordedFacts } {
  if (text === '') return {}
  const facts = parseFacts(text)
  if (!facts) throw new Error(`known must be what a record says of a person, not ${text.slice(0, 80)}`)
  return { known: facts }
}

function parseInterests(text: string): Record<string, number> {
  const interests: Record<string, number> = {}
  const add = (value: unknown, path: string) => {
    if (typeof value === 'number' && path !== '') interests[path] = value
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      // ClickHouse writes "a.b" as b in a.
      for (const [name, inner] of Object.entries(value)) add(inner, path === '' ? name : `${path}.${name}`)
    else throw new Error(`affinities must be a JSON object of numbers, not ${text.slice(0, 80)}`)
  }
  add(jsonValueOf(text === '' ? '{}' : text), '')
  return interests
}

function jsonValueOf(text: string): unknown {
  const value = parseJson(text)
  if (value === undefined) throw new Error(`${text.slice(0, 80)} is no JSON: export lists with toJSONString`)
  return value
}
