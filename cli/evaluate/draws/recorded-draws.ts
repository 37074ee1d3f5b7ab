import { type LoggedSituation, type Showable, showableOf } from '@slotstream/core'
import { ownCopy } from '../log/own-copy.js'

/** The row of a log whose decision has a recorded draw. */
export interface DrawnRow {
  /** The draw as the record has it, as text. */
  draw: string
  /** Version of the slot: contents have the same places in all draws of one. */
  version: string
  /** Content that was shown, and how many of its decision are above it. */
  contentId: string
  above: number
}

/**
 * Draws of a log, which say what could be shown. They name contents by place, and rows say which one some places are.
 */
export interface RecordedDraws {
  /** Notes the draw of a row. Returns its number; undefined: it cannot be read */
  numberOf(row: DrawnRow): number | undefined
  /** Returns the versions of which rows do not name all content. */
  incomplete(): string[]
  /** Names the contents of a version, in the order of their places. */
  name(version: string, contentIds: readonly string[]): void
  /** Returns what could be shown by a draw, and its chances. Undefined: not all of it is known by name. */
  situationOf(number: number): Pick<LoggedSituation, 'eligible' | 'possible' | 'chances'> | undefined
  /** Returns how many contents could be shown by a draw. */
  countOf(number: number): number
}

/** Contents of draws of one version, which many draws share. */
interface SharedPlaces {
  number: number
  version: string
  places: readonly number[]
  /** Numbers of the actions. Undefined: not looked for yet */
  eligible?: readonly number[] | undefined
}

/** A draw: contents, and the chances of them. */
interface NumberedDraw {
  shared: SharedPlaces
  possible: readonly boolean[]
  chances: Float32Array
}

/**
 * Creates it, without draws.
 *
 * @param actionOf returns the number of an id
 */
export function createRecordedDraws(actionOf: (id: string) => number): RecordedDraws {
  const draws: NumberedDraw[] = []
  const numbers = new Map<string, number>()
  const lists = new Map<string, SharedPlaces>()
  const possibles = new Map<string, readonly boolean[]>()
  const names = new Map<string, (string | undefined)[]>()
  /** Versions of which rows give one place two contents. */
  const contradicted = new Set<string>()
  /** Rows of a decision follow each other. */
  let last: { draw: string; version: string; showable: Showable | undefined; number: number } | undefined

  function read(version: string, draw: string) {
    if (last?.draw !== draw || last.version !== version) {
      const showable = showableOf(draw)
      last = { draw, version, showable, number: showable ? numbered(version, showable) : -1 }
    }
    return last
  }

  function numbered(version: string, { places, chances }: Showable): number {
    const listKey = `${version} ${places.join()}`
    const shared = inMap(lists, listKey, () => ({ version: ownCopy(version), places, number: lists.size }))
    const letters = chances.map(letterOf).join('')
    return inMap(numbers, `${shared.number} ${letters}`, () => {
      const isPossible = chances.map(chance => chance > 0)
      // The list belongs to its contents: what is worked out of both is remembered by it alone.
      const possible = inMap(possibles, `${shared.number} ${isPossible.map(Number).join('')}`, () => isPossible)
      return draws.push({ shared, possible, chances: Float32Array.from(chances, roughly) }) - 1
    })
  }

  function note(version: string, place: number | undefined, contentId: string): void {
    if (place === undefined) return void contradicted.add(version)
    const ids = inMap(names, version, () => [])
    if (ids[place] !== undefined && ids[place] !== contentId) contradicted.add(version)
    ids[place] = contentId
  }

  return {
    numberOf({ draw, version, contentId, above }) {
      const { showable, number } = read(version, draw)
      if (!showable) return undefined
      note(version, showable.drawn[above], contentId)
      return number
    },
    incomplete: () => [
      ...new Set(
        [...lists.values()]
          .filter(({ version, places }) => contradicted.has(version) || !isNamed(names.get(version), places))
          .map(({ version }) => version),
      ),
    ],
    name(version, contentIds) {
      contradicted.delete(version)
      names.set(version, [...contentIds])
    },
    situationOf(number) {
      const { shared, possible, chances } = draws[number]!
      const { version, places } = shared
      const ids = names.get(version)
      if (contradicted.has(version) || !isNamed(ids, places)) return undefined
      shared.eligible ??= places.map(place => actionOf(ids[place]!))
      return { eligible: shared.eligible, possible, chances }
    },
    countOf: number => draws[number]!.shared.places.length,
  }
}

function isNamed(
  names: readonly (string | undefined)[] | undefined,
  places: readonly number[],
): names is readonly string[] {
  return names !== undefined && places.every(place => names[place] !== undefined)
}

/** Rounds a chance to a power of two: near enough for the spread of weights, and few lists of chances differ. */
function roughly(chance: number): number {
  return chance > 0 ? 2 ** Math.round(Math.log2(chance)) : 0
}

/** Writes a rounded chance as one letter. */
function letterOf(chance: number): string {
  return String.fromCharCode(chance > 0 ? 0xff + Math.round(Math.log2(chance)) : 0)
}

function inMap<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const existing = map.get(key)
  if (existing !== undefined) return existing
  const value = make()
  map.set(key, value)
  return value
}
