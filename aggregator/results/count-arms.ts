import type { ClickHouseClient } from '@clickhouse/client'
import {
  type AuditedDraw,
  type CheckResult,
  type Counted,
  type CountedArm,
  checkLoss,
  createDrawAudit,
  createSampleRatio,
  type DrawAudit,
  drawsOf,
} from '@slotstream/core'
import type { RecordedDraw, ResultsRequest } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { type ResultsSql, resultsSql } from './results-sql.js'

/** One block of persons who were put into arms by the same shares. */
interface ArmRow {
  unit_arm: string
  unit_shares: number[]
  units: number
  decisions: number
  [sum: `sum${number}` | `squares${number}`]: number
}

interface LossRow {
  unit_arm: string
  units: number
  sum: number
  squares: number
}

/** Counts what came of a slot's decisions, and makes the checks. */
export async function countArms(
  clickhouse: ClickHouseClient,
  request: ResultsRequest,
): Promise<{ counted: Counted; sql: Record<string, string> }> {
  const sql = resultsSql(request)
  const read = async <Row>(query: string): Promise<Row[]> => {
    const settings = { output_format_json_quote_64bit_integers: 0 } as const
    const result = await clickhouse.query({
      query,
      query_params: sql.params,
      format: 'JSONEachRow',
      clickhouse_settings: settings,
    })
    return result.json<Row>()
  }
  const { experiment } = request
  const names = experiment ? experiment.arms.map(({ id }) => id) : ['holdout', 'shown']
  const [rows, losses, draws] = await Promise.all([
    read<ArmRow>(sql.arms),
    read<LossRow>(sql.loss),
    read<{ version: string; draw: string }>(sql.draws),
  ])
  const [metrics, guardrails] = [experiment?.metrics.length ?? 1, experiment?.guardrails?.length ?? 0]
  const loss = names.map(id => losses.find(row => row.unit_arm === id) ?? { units: 0, sum: 0, squares: 0 })
  const counted: Counted = {
    arms: names.map(id => armOf(id, rows, metrics, guardrails)),
    sampleRatio: sampleRatioOf(names, rows),
    propensities: await auditOf(draws.reverse()),
    loss: checkLoss(loss),
  }
  return { counted, sql: shown(sql) }
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
    for (const one of parsed(draw)) audit.note(one)
  }
  let worst: CheckResult = { ok: true, e: 1 }
  for (const audit of audits.values()) {
    const { ok, e } = audit.now()
    if (e > worst.e) worst = { ok, e }
  }
  return worst
}

/** A draw that cannot be read, such as one of a later version, is not audited. */
function parsed(text: string): AuditedDraw[] {
  try {
    return drawsOf({ draw: JSON.parse(text) as RecordedDraw })
  } catch {
    return []
  }
}

/** Returns the queries as they can be run by hand, with their parameters as settings before them. */
function shown({ params, ...queries }: ResultsSql): Record<string, string> {
  const quoted = (value: unknown) => `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const fill = (query: string) => query.replaceAll(/\{(\w+): String\}/g, (_, name: string) => quoted(params[name]))
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, fill(query)]))
}
