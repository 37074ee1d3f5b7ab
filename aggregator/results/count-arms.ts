import type { ClickHouseClient } from '@clickhouse/client'
import {
  type ArmSums,
  addSums,
  arrivalOf,
  type CheckResult,
  type Counted,
  type CountedArm,
  checkLoss,
  createSampleRatio,
  isFiniteSums,
  withoutLoss,
} from '@slotstream/core'
import { armsInPlay, type Experiment, type ExperimentArm, type ResultsRequest, timeOfRow } from '@slotstream/protocol'
import type { AuditStore } from './audits/audit-store.js'
import { rowsOf } from './audits/read-draws.js'
import { worstOf } from './audits/slot-audits.js'
import { auditDraws, type DrawText, takeDraws } from './audits/take-draws.js'
import { type ResultsSql, resultsSql } from './results-sql.js'

/** Columns of sums. What is no finite number is null in JSON. */
type SumName = `sum${number}` | `squares${number}`

/** One block of persons who were put into arms by the same shares. */
interface ArmRow {
  unit_arm: string
  unit_shares: number[]
  units: number
  decisions: number
  [sum: SumName]: number | null
}

/** Persons of one arm and stratum: what they lost, and what of theirs arrived. */
interface LossRow extends ArmSums {
  unit_arm: string
  [sum: SumName]: number | null
}

/**
 * Counts what came of a slot's decisions, and makes the checks.
 *
 * @param audits those that were made while it ran, which had all draws. Default: only the latest draws are audited
 * @param includesBots whether browsers count that seem to be programs. Default: no
 */
export async function countArms(
  clickhouse: ClickHouseClient,
  request: ResultsRequest,
  audits?: Pick<AuditStore, 'read'>,
  includesBots = false,
): Promise<{ counted: Counted; sql: Record<string, string> }> {
  const sql = resultsSql(request, includesBots)
  const read = readerOf(clickhouse, sql.params)
  const { experiment } = request
  const names = experiment ? armsShown(experiment).map(({ id }) => id) : ['holdout', 'shown']
  const [rows, losses, contents, sampled, audited] = await Promise.all([
    read<ArmRow>(sql.arms),
    read<LossRow>(sql.loss),
    read<ArmSums>(sql.contents),
    takeDraws(rowsOf<DrawText>(clickhouse, sql.draws, sql.params)),
    audits?.read(request.siteId, request.slotId),
  ])
  const [metrics, guardrails] = [experiment?.metrics.length ?? 1, experiment?.guardrails?.length ?? 0]
  const loss = names.map(id => losses.filter(row => row.unit_arm === id).reduce(addSums, NO_SUMS))
  const { draws } = sampled
  const audit = worstOf(audited, new Set(draws.map(({ version }) => version)))
  const counted: Counted = {
    arms: names.map(id => weightedArm(armOf(id, rows, metrics, guardrails), losses)),
    sampleRatio: sampleRatioOf(names, rows),
    propensities: { ...worse(await auditDraws(draws), audit), draws: draws.length, cut: sampled.isCut },
    loss: checkLoss(loss),
    contents: checkLoss(contents),
  }
  return { counted, sql: shown(sql) }
}

/** Returns the arms to show. Before a candidate of a tournament is tried, no arm has persons. */
function armsShown(experiment: Experiment): ExperimentArm[] {
  const inPlay = armsInPlay(experiment)
  return inPlay.length > 0 ? inPlay : experiment.arms
}

const NO_SUMS: ArmSums = { units: 0, sum: 0, squares: 0 }

/** Adds what an arm earned, weighted for what got lost in each stratum. */
function weightedArm(arm: CountedArm, losses: readonly LossRow[]): CountedArm {
  const its = losses.filter(row => row.unit_arm === arm.id)
  const weigh = (sums: ArmSums, index: number) =>
    withoutLoss(
      sums,
      its.map(row => ({
        units: row.units,
        sum: sumOf(row, `sum${index}`),
        squares: sumOf(row, `squares${index}`),
        arrival: arrivalOf(row),
      })),
    )
  const first = arm.metrics.length
  const guardrails = arm.guardrails.map((sums, index) => weigh(sums, first + index))
  return { ...arm, weighted: { metrics: arm.metrics.map(weigh), guardrails } }
}

/**
 * Counts the persons of a slot, and what they earned of one metric, whatever they were shown.
 *
 * @param includesBots whether browsers count that seem to be programs. Default: no
 * @throws RangeError where that adds up to no finite number
 */
export async function countTraffic(
  clickhouse: ClickHouseClient,
  request: ResultsRequest,
  includesBots = false,
): Promise<{ measured: ArmSums; since?: number; sql: Record<string, string> }> {
  const sql = resultsSql(request, includesBots)
  const rows = await readerOf(clickhouse, sql.params)<ArmRow & { first_at: string }>(sql.arms)
  const measured = armOf('all', rows, 1, 0).metrics[0]!
  if (!isFiniteSums(measured)) throw new RangeError('what persons earned adds up to no finite number')
  const times = rows.map(({ first_at: first }) => Date.parse(timeOfRow(first)))
  return { measured, ...(times.length > 0 && { since: Math.min(...times) }), sql: { traffic: shown(sql).arms! } }
}

function readerOf(clickhouse: ClickHouseClient, params: Record<string, unknown>) {
  return async <Row>(query: string): Promise<Row[]> => {
    const settings = { output_format_json_quote_64bit_integers: 0 } as const
    const result = await clickhouse.query({
      query,
      query_params: params,
      format: 'JSONEachRow',
      clickhouse_settings: settings,
    })
    return result.json<Row>()
  }
}

/** Reads a sum. NaN: it is no finite number, or absent, and must not be taken for 0 */
function sumOf(row: Partial<Record<SumName, number | null>>, name: SumName): number {
  return row[name] ?? Number.NaN
}

/** Adds up what the rows have of one arm. */
export function armOf(id: string, rows: readonly ArmRow[], metrics: number, guardrails: number): CountedArm {
  const its = rows.filter(row => row.unit_arm === id)
  const total = (read: (row: ArmRow) => number) => its.reduce((sum, row) => sum + read(row), 0)
  const sums = Array.from({ length: metrics + guardrails }, (_, index) => ({
    units: total(row => row.units),
    sum: total(row => sumOf(row, `sum${index}`)),
    squares: total(row => sumOf(row, `squares${index}`)),
  }))
  return {
    id,
    decisions: total(row => row.decisions),
    metrics: sums.slice(0, metrics),
    guardrails: sums.slice(metrics),
  }
}

/** Persons whose shares were not recorded, or of other arms, are not checked. */
function sampleRatioOf(names: readonly string[], rows: readonly ArmRow[]): CheckResult {
  const check = createSampleRatio(names.length)
  const blocks = new Map<string, { shares: number[]; counts: number[] }>()
  for (const { unit_arm, unit_shares: shares, units } of rows) {
    const arm = names.indexOf(unit_arm)
    if (arm < 0 || shares.length !== names.length) continue
    const block = blocks.get(shares.join()) ?? { shares, counts: names.map(() => 0) }
    block.counts[arm]! += units
    blocks.set(shares.join(), block)
  }
  for (const { shares, counts } of blocks.values()) check.note(shares, counts)
  return check.now()
}

function worse(result: CheckResult, other: CheckResult | undefined): CheckResult {
  return other && other.e > result.e ? other : result
}

/** Returns the queries as they can be run by hand, with their parameters as settings before them. */
function shown({ params, ...queries }: ResultsSql): Record<string, string> {
  const quoted = (value: unknown) => `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const fill = (query: string) =>
    query.replaceAll(/\{(\w+): ?(String|UInt32)\}/g, (_, name: string, type: string) =>
      type === 'String' ? quoted(params[name]) : String(Number(params[name])),
    )
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, fill(query)]))
}
