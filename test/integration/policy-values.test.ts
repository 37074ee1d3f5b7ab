import { evaluateLots } from '@slotstream/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { simulateDecisions } from '#bench/simulator/decisions.js'
import { type DecisionSelection, exportDecisions } from '#cli/evaluate/log/export-decisions.js'
import { readLog } from '#cli/evaluate/log/read-log.js'
import { readDecisions } from '#cli/replay/decisions/read-decisions.js'
import { startClickHouse } from './warehouse-world.js'

const SITE = 'values'
const DECISIONS = 2_000

let clickhouse: Awaited<ReturnType<typeof startClickHouse>>
const played = [
  ...simulateDecisions(
    'values',
    { type: 'affinity', exploration: 0.6 },
    { decisions: DECISIONS, turns: false, newItemEvery: 0, count: 2 },
  ),
]

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  const rows: string[] = []
  const events: object[] = []
  for (const [n, { record, rewards }] of played.entries()) {
    const envelope = { siteId: SITE, visitorId: record.anonymousId, receivedAt: record.timestamp, decisions: [record] }
    const text = JSON.stringify(envelope)
    const message = { seq: n + 1, subject: 'decisions.0', text, storedAt: record.timestamp, deleted: false }
    rows.push(...decisionRows(message, n + 1).map(({ line }) => line))
    for (const [place, contentId] of record.contentIds.entries())
      if (rewards[place]! > 0)
        events.push({
          site_id: SITE,
          message_id: `${n}-${place}`,
          type: 'track',
          event: 'Slot Clicked',
          decision_id: record.decisionId,
          content_id: contentId,
          timestamp: record.timestamp.replace('Z', ''),
          received_at: record.timestamp.replace('Z', ''),
        })
  }
  await clickhouse.client.command({
    query: `INSERT INTO slotstream.decisions SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow ${rows.join('\n')}`,
  })
  await clickhouse.client.insert({
    table: 'slotstream.events',
    values: events,
    format: 'JSONEachRow',
    clickhouse_settings: { date_time_input_format: 'best_effort' },
  })
})
afterAll(() => clickhouse?.stop())

function address() {
  const { url, username, password } = clickhouse.account
  return { url, user: username, password }
}

interface Row {
  target: string
  content_id: string
  decisions: number
  ips: number
  ips_low: number
  snips: number
  snips_high: number
  ess: number
  mean_weight: number
  max_weight: number
  refused: string
}

describe('the view policy_values', () => {
  it('has the values of the same formulas that evaluate has', async () => {
    const result = await clickhouse.client.query({
      query: `SELECT *, toFloat64(decisions) AS decisions FROM slotstream.policy_values WHERE site_id = '${SITE}'`,
      format: 'JSONEachRow',
    })
    const rows = await result.json<Row>()
    const ids = played[0]!.record.candidates.map(({ contentId }) => contentId)
    expect(rows).toHaveLength(2 + ids.length)
    const actions = Uint32Array.from(ids.keys())
    const log = {
      rows: DECISIONS,
      ids,
      action: Uint32Array.from(played, ({ record }) => ids.indexOf(record.contentIds[0]!)),
      situation: new Uint32Array(DECISIONS),
      situations: [{ position: 0, above: [] }],
      reward: Float64Array.from(played, ({ rewards }) => rewards[0]!),
      propensity: Float64Array.from(played, ({ record }) => record.propensities[0]!),
      decision: Uint32Array.from(played.keys()),
      positions: 1,
    }
    for (const row of rows) {
      if (row.target === 'logged') {
        expect(row.ips).toBeCloseTo(log.reward.reduce((sum, reward) => sum + reward, 0) / DECISIONS, 12)
        expect(row).toMatchObject({ decisions: DECISIONS, mean_weight: 1, refused: '' })
        continue
      }
      const isFixed = row.target === 'fixed'
      const lot = isFixed
        ? { actions: [ids.indexOf(row.content_id)], chances: [1] }
        : { actions, chances: actions.length > 0 ? Array.from(actions, () => 1 / ids.length) : [] }
      const { estimates, diagnostics, refused } = evaluateLots(log, { from: 0, to: DECISIONS }, [lot])
      expect(row.ess).toBeCloseTo(diagnostics.ess, 6)
      expect(row.max_weight).toBeCloseTo(diagnostics.maxWeight, 9)
      if (!estimates) continue
      expect(row.ips).toBeCloseTo(estimates.ips.value, 9)
      expect(row.ips_low).toBeCloseTo(estimates.ips.low, 9)
      expect(row.snips).toBeCloseTo(estimates.snips.value, 9)
      expect(row.snips_high).toBeCloseTo(estimates.snips.high, 9)
      expect(row.refused).toBe(refused?.code === 'low_sample' ? 'low_sample' : '')
    }
  })
})

describe('an export for evaluate', () => {
  async function exported(counted: Pick<DecisionSelection, 'rewards' | 'bots'>) {
    const pieces: Uint8Array[] = []
    const selection = { slot: played[0]!.record.slotId, site: SITE, from: undefined, to: undefined, ...counted }
    for await (const piece of exportDecisions(selection, address())) pieces.push(piece)
    const [head, ...lines] = Buffer.concat(pieces).toString().trim().split('\n')
    const names = head!.replaceAll('"', '').split(',')
    const fieldsOf = (line: string) => line.replaceAll('"', '').split(',')
    return lines.map(line => ({
      decisionId: fieldsOf(line)[names.indexOf('decision_id')]!,
      reward: Number(fieldsOf(line)[names.indexOf('reward')]),
    }))
  }

  it('leaves out browsers that seem to be programs, as the time machine knows them', async () => {
    const crawler = played[0]!.record.anonymousId
    await clickhouse.client.insert({
      table: 'slotstream.events',
      values: [
        {
          ...{ site_id: SITE, message_id: 'crawler', type: 'page', anonymous_id: crawler },
          context: { bot: { crawler: 'Googlebot' } },
          timestamp: '2026-01-01 00:00:00',
          received_at: '2026-01-01 00:00:00',
        },
      ],
      format: 'JSONEachRow',
    })
    const ofCrawler = played.flatMap(({ record }) => (record.anonymousId === crawler ? [record.decisionId] : []))
    const lines = await exported({ rewards: 'clicks', bots: 'exclude' })
    expect(lines).toHaveLength(2 * (DECISIONS - ofCrawler.length))
    const values = await clickhouse.client.query({
      query: `SELECT toUInt32(sum(decisions)) AS decisions FROM slotstream.policy_values WHERE site_id = '${SITE}' AND target = 'logged'`,
      format: 'JSONEachRow',
    })
    expect(await values.json()).toEqual([{ decisions: DECISIONS - ofCrawler.length }])
    expect(lines.some(({ decisionId }) => ofCrawler.includes(decisionId))).toBe(false)
    expect(await exported({ rewards: 'clicks', bots: 'include' })).toHaveLength(2 * DECISIONS)
    const period = { site: SITE, slot: undefined, from: 0, to: Date.UTC(2200, 0, 1) }
    for (const findsPrograms of [true, false]) {
      const programs: string[] = []
      for await (const { record, isProgram } of readDecisions(period, address(), findsPrograms))
        if (isProgram) programs.push(record.decisionId)
      expect(programs.sort()).toEqual(findsPrograms ? [...ofCrawler].sort() : [])
    }
  })

  it('may be the table itself, as ClickHouse writes it, with a column of rewards', async () => {
    const query = `SELECT *, arrayMap(id -> 1, content_ids) AS reward FROM slotstream.decisions WHERE site_id = '${SITE}' ORDER BY decision_id`
    const result = await clickhouse.client.exec({ query: `${query} FORMAT CSVWithNames` })
    const log = await readLog(result.stream, 'log.csv', { time: true, affinities: true, known: true })
    const rows = played.flatMap(({ record }) =>
      record.contentIds.map((id, place) => [id, record.propensities[place]!.toFixed(9)].join()),
    )
    const read = [...log.action].map((action, row) => [log.ids[action], log.propensity[row]!.toFixed(9)].join())
    expect(read.sort()).toEqual(rows.sort())
    expect(log.situations.every(({ eligible }) => eligible !== undefined)).toBe(true)
  })

  it('counts clicks, or what the slot names as rewards, in the steps in which it was learned', async () => {
    const [first, second] = played.map(({ record }) => record)
    const step = (record: typeof first, position: number, reward: number, previous: number | null, id: string) => ({
      site_id: SITE,
      record_id: id,
      decision_id: record!.decisionId,
      slot_id: record!.slotId,
      content_id: record!.contentIds[position - 1],
      position,
      decided_at: record!.timestamp.replace('Z', ''),
      received_at: record!.timestamp.replace('Z', ''),
      reward,
      previous,
    })
    await clickhouse.client.insert({
      table: 'slotstream.learning_outcomes',
      values: [
        step(first, 1, 0, null, 'a'),
        step(first, 1, 499_000, 0, 'b'),
        step(first, 2, 10_000, null, 'c'),
        step(second, 1, 0, null, 'd'),
      ],
      format: 'JSONEachRow',
    })
    const rewardsBy = async (rewards: 'clicks' | 'slot') => {
      const lines = await exported({ rewards, bots: 'include' })
      expect(lines).toHaveLength(2 * DECISIONS)
      return lines.reduce((sum, { reward }) => sum + reward, 0)
    }
    const clicksOf = (some: typeof played) =>
      some.flatMap(({ rewards }) => [...rewards]).filter(reward => reward > 0).length
    expect(await rewardsBy('clicks')).toBe(clicksOf(played))
    // Of what no policy learned of, in a slot whose own does not learn, clicks count.
    const others = clicksOf(played.slice(2)) + Number(second!.propensities.length > 1 && played[1]!.rewards[1]! > 0)
    expect(await rewardsBy('slot')).toBeCloseTo(49.9 + 1 + others, 9)
    // In one whose policy learns nothing else does.
    await clickhouse.client.command({
      query: `ALTER TABLE slotstream.decisions UPDATE policy = 'thompson' WHERE site_id = '${SITE}' SETTINGS mutations_sync = 2`,
    })
    expect(await rewardsBy('slot')).toBeCloseTo(49.9 + 1, 9)
    const values = await clickhouse.client.query({
      query: `SELECT sum(rewards) AS rewards FROM slotstream.policy_values WHERE site_id = '${SITE}' AND target = 'logged'`,
      format: 'JSONEachRow',
    })
    expect(await values.json()).toEqual([{ rewards: 0 }])
  })
})
