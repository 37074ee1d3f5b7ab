import type { ClickHouseClient } from '@clickhouse/client'
import {
  type ArmSums,
  addSums,
  arrivalOf,
  type CheckResult,
  type Counted,
  type CountedArm,
  checkLoss,
  createDrawAudit,
  createSampleRatio,
  type DrawAudit,
  withoutLoss,
} from '@slotstream/core'
import type { ResultsRequest } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import type { AuditStore } from './audits/audit-store.js'
import { auditedDraws } from './audits/read-draws.js'
import { worstOf } from './audits/slot-audits.js'
import { type ResultsSql, resultsSql } from './results-sql.js'

/** One block of persons who were put into arms by the same shares. */
interface ArmRow {
  unit_arm: string
  unit_shares: number[]
  units: number
  decisions: number
  [sum: `sum${number}` | `squares${number}`]: number
}

/** Persons of one arm and stratum: what they lost, and what of theirs arrived. */
interface LossRow extends ArmSums {
  unit_arm: string
  [sum: `sum${number}` | `squares${number}`]: number
}

/**
 * Counts what came of a slot's decisions, and makes the checks.
 *
 * @param audits those that were made while it ran, which had all draws. Default: only the latest draws are audited
 */
export async function countArms(
  clickhouse: ClickHouseClient,
  request: ResultsRequest,
  audits?: Pick<AuditStore, 'read'>,
): Promise<{ counted: Counted; sql: Record<string, string> }> {
  const sql = resultsSql(request)
  const read = readerOf(clickhouse, sql.params)
  const { experiment } = request
  const names = experiment ? experiment.arms.map(({ id }) => id) : ['holdout', 'shown']
  const [rows, losses, draws, audited] = await Promise.all([
    read<ArmRow>(sql.arms),
    read<LossRow>(sql.loss),
    read<{ version: string; draw: string }>(sql.draws),
    audits?.read(request.siteId, request.slotId),
  ])
  const [metrics, guardrails] = [experiment?.metrics.length ?? 1, experiment?.guardrails?.length ?? 0]
  const loss = names.map(id => losses.filter(row => row.unit_arm === id).reduce(addSums, NO_SUMS))
  const counted: Counted = {
    arms: names.map(id => weightedArm(armOf(id, rows, metrics, guardrails), losses)),
    sampleRatio: sampleRatioOf(names, rows),
    propensities: worse(await auditOf(draws.reverse()), worstOf(audited, new Set(draws.map(({ version }) => version)))),
    loss: checkLoss(loss),
  }
  return { counted, sql: shown(sql) }
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
        sum: row[`sum${index}`] ?? 0,
        squares: row[`squares${index}`] ?? 0,
        arrival: arrivalOf(row),
      })),
    )
  const first = arm.metrics.length
  const guardrails = arm.guardrails.map((sums, index) => weigh(sums, first + index))
  return { ...arm, weighted: { metrics: arm.metrics.map(weigh), guardrails } }
}

/** Counts the persons of a slot, and what they earned of one metric, whatever they were shown. */
export async function countTraffic(
  clickhouse: ClickHouseClient,
  request: ResultsRequest,
): Promise<{ measured: ArmSums; sql: Record<string, string> }> {
  const sql = resultsSql(request)
  const rows = await readerOf(clickhouse, sql.params)<ArmRow>(sql.arms)
  return { measured: armOf('all', rows, 1, 0).metrics[0]!, sql: { traffic: shown(sql).arms! } }
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

function armOf(id: string, rows: readonly ArmRow[], metrics: number, guardrails: number): CountedArm {
  const its = rows.filter(row => row.unit_arm === id)
  const total = (read: (row: ArmRow) => number) => its.reduce((sum, row) => sum + read(row), 0)
  const sums = Array.from({ length: metrics + guardrails }, (_, index) => ({
    units: total(row => row.units),
    sum: total(row => row[`sum${index}`] ?? 0),
    squares: total(row => row[`squares${index}`] ?? 0),
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

/** Audits the draws of each policy version, and returns the worst. */
async function auditOf(rows: readonly { version: string; draw: string }[]): Promise<CheckResult> {
  const audits = new Map<string, DrawAudit>()
  const pauseIfLong = createSlices()
  for (const { version, draw } of rows) {
    await pauseIfLong()
    const audit = audits.get(version) ?? createDrawAudit()
    audits.set(version, audit)
    for (const one of auditedDraws(draw)) audit.note(one)
  }
  let worst: CheckResult = { ok: true, e: 1 }
  for (const audit of audits.values()) {
    const { ok, e } = audit.now()
    if (e > worst.e) worst = { ok, e }
  }
  return worst
}

function worse(one: CheckResult, other: CheckResult | undefined): CheckResult {
  return other && other.e > one.e ? other : one
}

/** Returns the queries as they can be run by hand, with their parameters as settings before them. */
function shown({ params, ...queries }: ResultsSql): Record<string, string> {
  const quoted = (value: unknown) => `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const fill = (query: string) => query.replaceAll(/\{(\w+): String\}/g, (_, name: string) => quoted(params[name]))
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, fill(query)]))
}
