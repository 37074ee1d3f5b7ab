import type { ClickHouseClient } from '@clickhouse/client'
import type { DecisionEnvelope, EventEnvelope } from '@slotstream/protocol'
import { SPECS, type StreamSpec } from '#aggregator/warehouse/tables/specs.js'
import { warehouseTable } from '#aggregator/warehouse/tables/table.js'
import type { Shop } from './shop.js'

/** Rows of one insert. */
const BLOCK = 20_000

/**
 * Puts a shop into the tables as the warehouse does: the rows that it makes of messages of the streams, by its inserts.
 */
export async function loadShop(client: ClickHouseClient, shop: Shop): Promise<void> {
  await insert(client, SPECS.events, `shop-${shop.siteId}-events`, [...eventLines(shop)])
  await insert(client, SPECS.decisions, `shop-${shop.siteId}-decisions`, [...decisionLines(shop)])
}

async function insert(client: ClickHouseClient, spec: StreamSpec, token: string, lines: string[]): Promise<void> {
  const table = warehouseTable(client, spec)
  for (let from = 0; from < lines.length; from += BLOCK)
    await table.insert(lines.slice(from, from + BLOCK), `${token}-${from}`)
}

function* eventLines({ siteId, events }: Shop): Generator<string> {
  for (const { seq, index, sender, receivedAt, message } of events) {
    const envelope: EventEnvelope = { siteId, visitorId: 'any', receivedAt, sender, messages: [message] }
    // One message of the stream may hold several senders only here: the place is what counts.
    for (const { line } of SPECS.events.rows(sourceOf(envelope, seq), seq))
      yield line.replace(/"batch_index":0\}$/, `"batch_index":${index}}`)
  }
}

function* decisionLines({ siteId, decisions }: Shop): Generator<string> {
  for (const [index, decision] of decisions.entries()) {
    const envelope: DecisionEnvelope = {
      siteId,
      visitorId: 'any',
      receivedAt: decision.timestamp,
      decisions: [decision],
    }
    for (const { line } of SPECS.decisions.rows(sourceOf(envelope, index + 1), index + 1)) yield line
  }
}

const sourceOf = (envelope: object, seq: number) => ({
  seq,
  subject: 'events.0',
  text: JSON.stringify(envelope),
  storedAt: new Date().toISOString(),
  deleted: false,
})
