import type { DecisionLog } from '@slotstream/core'
import { hash32, hashEnd, hashMore, parseJson, parseTime, timeOfRow } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import type { ContentsOfVersion } from '../draws/contents-of-versions.js'
import { createRecordedDraws, type RecordedDraws } from '../draws/recorded-draws.js'
import { type Columns, findColumns, wantedFields } from './columns.js'
import { readRecords } from './csv-records.js'
import { EXPANDED, type ExpandDecision, expansionOf } from './expand-decisions.js'
import { growing } from './growing.js'
import { ownCopy } from './own-copy.js'
import { createSituations, type Situations } from './situations.js'

/** Positions of a page, at most. */
const MAX_POSITION = 1_000

/** Parts of a log that cost time and memory, read only where a policy needs them. */
export interface LogNeeds {
  time: boolean
  affinities: boolean
  known: boolean
}

const doubles = (length: number) => new Float64Array(length)
const whole = (length: number) => new Uint32Array(length)

const emptyColumns = () => ({
  action: growing(whole),
  situation: growing(whole),
  decision: growing(whole),
  reward: growing(doubles),
  propensity: growing(doubles),
  rounding: growing(doubles),
  time: growing(doubles),
})

/**
 * Reads a log of decisions: one record for each shown content, a header with the names of columns. Rows that showed
 * nothing are left out, and those that a decision has once more.
 *
 * @param file names the log in messages
 * @param contentsOf finds the contents of versions that the log does not name. Default: they are not known
 * @throws CommandError with the place of what is no such log
 */
export async function readLog(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  needs: LogNeeds,
  contentsOf?: ContentsOfVersion,
): Promise<DecisionLog> {
  const numbers = new Map<string, number>()
  const actionOf = (id: string): number => {
    const existing = numbers.get(id)
    if (existing !== undefined) return existing
    numbers.set(ownCopy(id), numbers.size)
    return numbers.size - 1
  }
  const situations = createSituations(actionOf)
  const draws = createRecordedDraws(actionOf)
  const columnsRead = emptyColumns()
  let columns: Columns | undefined
  let decisionId: string | undefined
  let decision = -1
  /** Ids of the rows of a decision so far: what is above, where the log does not say it. */
  let before: string[] = []
  const seen = new Set<number>()
  let expand: ExpandDecision | undefined
  const onHeader = (header: string[]) => {
    expand = expansionOf(header)
    columns = findColumns(expand ? EXPANDED : header, file)
    if (!needs.time) columns.time = -1
    if (!needs.affinities) columns.affinities = -1
    if (!needs.known) columns.known = -1
    return expand ? header.length : wantedFields(columns)
  }
  const take = (fields: readonly string[], where: string) => {
    const at = columns!
    if (fields[at.item] === '' || isRepeat(fields, at, seen)) return
    columnsRead.action.push(actionOf(fields[at.item]!))
    columnsRead.reward.push(rewardOf(fields[at.reward]!, where))
    const propensity = propensityOf(fields[at.propensity]!, where)
    columnsRead.propensity.push(propensity)
    columnsRead.rounding.push(roundingOf(fields[at.propensity]!, propensity))
    if (at.time >= 0) columnsRead.time.push(timeOf(fields[at.time]!, where))
    if (at.decision < 0 || fields[at.decision] !== decisionId) {
      decision++
      before = []
    }
    decisionId = fields[at.decision]
    columnsRead.decision.push(decision)
    const texts = {
      position: at.position < 0 ? 0 : positionOf(fields[at.position]!, where) - 1,
      candidates: fields[at.candidates],
      above: fields[at.above] ?? (before.length > 0 ? JSON.stringify(before) : undefined),
      affinities: fields[at.affinities],
      known: fields[at.known],
      draw: drawOf(fields, at, before, draws),
    }
    columnsRead.situation.push(situations.numberOf(texts, where))
    if (at.decision >= 0) before.push(fields[at.item]!)
  }
  await readRecords(chunks, file, onHeader, (fields, record) => {
    const where = `${file}, record ${record}`
    for (const row of expand?.(fields, where) ?? [fields]) take(row, where)
  })
  await settle(situations, draws, contentsOf)
  const rows = columnsRead.action.values().length
  if (rows === 0) throw new CommandError(`${file} has no rows that showed something`)
  return {
    rows,
    ids: [...numbers.keys()],
    situations: situations.list,
    action: columnsRead.action.values(),
    situation: columnsRead.situation.values(),
    decision: columnsRead.decision.values(),
    reward: columnsRead.reward.values(),
    propensity: columnsRead.propensity.values(),
    rounding: columnsRead.rounding.values(),
    ...(columns!.time >= 0 && { time: columnsRead.time.values() }),
    positions: situations.list.reduce((most, { position }) => Math.max(most, position + 1), 0),
  }
}

/**
 * Tells whether there was such a row of the same decision before: a decision shows a content once.
 *
 * @param seen hashes of rows, of 53 bits: a million ids as text would take most of the memory
 */
function isRepeat(fields: readonly string[], { decision, position, item }: Columns, seen: Set<number>): boolean {
  if (decision < 0) return false
  const row = `${fields[decision]}\0${fields[position] ?? ''}\0${fields[item]}`
  const count = seen.size
  seen.add(hash32(row) * 2 ** 21 + (hashEnd(hashMore(OTHER_BEGIN, row)) >>> 11))
  return seen.size === count
}

/** Begin of a hash that has nothing to do with that of `hash32`. */
const OTHER_BEGIN = 0x9e3779b9

/**
 * Returns the number of a row's recorded draw. Undefined: it has none that can be read
 *
 * @param before ids of the rows of its decision so far: what is above, where the log does not say it
 */
function drawOf(
  fields: readonly string[],
  { draw: drawAt, version, item, above: aboveAt }: Columns,
  before: readonly string[],
  draws: RecordedDraws,
): number | undefined {
  const draw = fields[drawAt]
  if (!draw || version < 0) return undefined
  const above = aboveAt < 0 ? before : parseJson(fields[aboveAt] || '[]')
  if (!Array.isArray(above)) return undefined
  return draws.numberOf({ draw, version: fields[version]!, contentId: fields[item]!, above: above.length })
}

/** Names what draws say could be shown, and tells the situations. */
async function settle(situations: Situations, draws: RecordedDraws, contentsOf?: ContentsOfVersion): Promise<void> {
  for (const version of contentsOf ? draws.incomplete() : []) {
    const contentIds = await contentsOf!(version)
    if (contentIds) draws.name(version, contentIds)
  }
  situations.settle(draws)
}

/** ClickHouse writes what is clicked as true or false. */
function rewardOf(text: string, where: string): number {
  if (text === 'true') return 1
  return text === 'false' ? 0 : numberOf(text, where, 'the reward')
}

/** Reads a propensity. One that is no number although it says so is as corrupt as 0: both make the value refused. */
function propensityOf(text: string, where: string): number {
  return /^\s*[+-]?(nan|inf|infinity)\s*$/i.test(text) ? Number.NaN : numberOf(text, where, 'the propensity')
}

/** Decimals from which on a number seems to be rounded. One of fewer was written as it is, such as 0.25. */
const ROUNDED_DECIMALS = 4

/** Returns the relative error that rounding to the decimals of a text explains, at most. */
function roundingOf(text: string, value: number): number {
  const point = text.indexOf('.')
  const power = text.search(/e/i)
  const digits = point < 0 ? 0 : (power < 0 ? text.trimEnd().length : power) - point - 1
  const decimals = digits - (power < 0 ? 0 : Number(text.slice(power + 1)))
  return decimals < ROUNDED_DECIMALS || !(value > 0) ? 0 : (0.5 * 10 ** -decimals) / value
}

function numberOf(text: string, where: string, what: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw new CommandError(`${where}: ${what} is "${text.slice(0, 80)}", it must be a number`)
}

function positionOf(text: string, where: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= MAX_POSITION) return value
  throw new CommandError(
    `${where}: position is "${text.slice(0, 80)}", it must be a whole number from 1 to ${MAX_POSITION}`,
  )
}

function timeOf(text: string, where: string): number {
  // ClickHouse writes times without a zone, in UTC as they are stored.
  const isWithoutZone = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text)
  const time = parseTime(isWithoutZone ? timeOfRow(text) : text)
  if (time !== undefined) return time
  throw new CommandError(
    `${where}: timestamp is "${text.slice(0, 80)}", it must be a time such as 2026-01-31T12:00:00Z`,
  )
}
