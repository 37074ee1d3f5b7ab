import type { DecisionLog } from '@slotstream/core'
import { parseTime } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { type Columns, findColumns, wantedFields } from './columns.js'
import { readRecords } from './csv-records.js'
import { growing } from './growing.js'
import { ownCopy } from './own-copy.js'
import { createSituations } from './situations.js'

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

/**
 * Reads a log of decisions: one record for each shown content, a header with the names of columns. Rows that showed
 * nothing are left out.
 *
 * @param file names the log in messages
 * @throws CommandError with the place of what is no such log
 */
export async function readLog(chunks: AsyncIterable<Uint8Array>, file: string, needs: LogNeeds): Promise<DecisionLog> {
  const numbers = new Map<string, number>()
  const actionOf = (id: string): number => {
    const existing = numbers.get(id)
    if (existing !== undefined) return existing
    numbers.set(ownCopy(id), numbers.size)
    return numbers.size - 1
  }
  const situations = createSituations(actionOf)
  const columnsRead = {
    action: growing(whole),
    situation: growing(whole),
    decision: growing(whole),
    reward: growing(doubles),
    propensity: growing(doubles),
    time: growing(doubles),
  }
  let columns: Columns | undefined
  let decisionId: string | undefined
  let decision = -1
  /** Ids of the rows of a decision so far: what is above, where the log does not say it. */
  let before: string[] = []
  const onHeader = (header: string[]) => {
    columns = findColumns(header, file)
    if (!needs.time) columns.time = -1
    if (!needs.affinities) columns.affinities = -1
    if (!needs.known) columns.known = -1
    return wantedFields(columns)
  }
  await readRecords(chunks, file, onHeader, (fields, record) => {
    const where = `${file}, record ${record}`
    const {
      item,
      reward,
      propensity,
      position,
      decision: id,
      time,
      candidates,
      above,
      affinities,
      known: knownColumn,
    } = columns!
    if (fields[item] === '') return
    columnsRead.action.push(actionOf(fields[item]!))
    columnsRead.reward.push(rewardOf(fields[reward]!, where))
    columnsRead.propensity.push(propensityOf(fields[propensity]!, where))
    if (time >= 0) columnsRead.time.push(timeOf(fields[time]!, where))
    if (id < 0 || fields[id] !== decisionId) {
      decision++
      before = []
    }
    decisionId = fields[id]
    columnsRead.decision.push(decision)
    const texts = {
      position: position < 0 ? 0 : positionOf(fields[position]!, where) - 1,
      candidates: fields[candidates],
      above: fields[above] ?? (before.length > 0 ? JSON.stringify(before) : undefined),
      affinities: fields[affinities],
      known: fields[knownColumn],
    }
    columnsRead.situation.push(situations.numberOf(texts, where))
    if (id >= 0) before.push(fields[item]!)
  })
  const rows = columnsRead.action.values().length
  if (rows === 0) throw new CommandError(`${file} has no rows that showed something`)
  return {
    rows,
    ids: [...numbers.keys()],
    action: columnsRead.action.values(),
    situation: columnsRead.situation.values(),
    situations: situations.list,
    reward: columnsRead.reward.values(),
    propensity: columnsRead.propensity.values(),
    decision: columnsRead.decision.values(),
    ...(columns!.time >= 0 && { time: columnsRead.time.values() }),
    positions: situations.list.reduce((most, { position }) => Math.max(most, position + 1), 0),
  }
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
  const time = parseTime(isWithoutZone ? `${text.replace(' ', 'T')}Z` : text)
  if (time !== undefined) return time
  throw new CommandError(
    `${where}: timestamp is "${text.slice(0, 80)}", it must be a time such as 2026-01-31T12:00:00Z`,
  )
}
