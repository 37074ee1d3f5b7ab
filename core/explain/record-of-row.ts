import {
  type Attribution,
  type DecisionRecord,
  isAttribution,
  isObject,
  type JsonObject,
  type Outcome,
  parseJson,
  type RecordedModel,
  timeOfRow,
} from '@slotstream/protocol'
import { sayOnce } from '../decide/record/say-once.js'
import { parseDraw } from './parse-draw.js'
import { parseFacts } from './parse-facts.js'

/** Columns of `decisions` from which a record is put together again. */
export const RECORD_COLUMNS = [
  'decision_id',
  'timestamp',
  'slot_id',
  'anonymous_id',
  'user_id',
  'session_id',
  'page_view_id',
  'policy',
  'policy_version',
  'content_ids',
  'propensities',
  'position',
  'candidates',
  'excluded',
  'outcome',
  'holdout',
  'experiment',
  'arm',
  'arm_shares',
  'person',
  'ghost',
  'attribution_rule',
  'attribution_hours',
  'features',
  'seed',
] as const

/** A row of `decisions` as ClickHouse writes it as JSON. */
export interface RecordRow {
  decision_id: string
  /** `2026-11-29 12:00:00.000`, UTC. */
  timestamp: string
  slot_id: string
  anonymous_id: string
  user_id: string
  session_id: string
  page_view_id: string
  policy: string
  policy_version: string
  content_ids: string[]
  propensities: number[]
  position: number
  candidates: { content_id: string; score: number; probability: number }[]
  excluded: { content_id: string; reason: string }[]
  outcome: Outcome
  holdout: boolean
  experiment: string
  arm: string
  arm_shares: number[]
  person: string
  ghost: string[]
  attribution_rule: string
  attribution_hours: number
  features: JsonObject
  seed: string
}

/** Puts a record together again from its row: what `decisionRows` made of it, backwards. */
export function recordOfRow(row: RecordRow): DecisionRecord {
  const {
    draw: drawText,
    missed,
    known: factsText,
    model,
    itemsAsOf,
    campaigns,
    arms,
    latencyMs,
    ...features
  } = row.features
  const draw = typeof drawText === 'string' ? parseDraw(drawText) : undefined
  const facts = typeof factsText === 'string' ? parseFacts(factsText) : undefined
  const details = detailsOf(missed)
  const excluded = row.excluded.map(({ content_id: contentId, reason }) => {
    const detail = details.get(contentId)
    return { contentId, reason, ...(detail !== undefined && { detail }) }
  })
  const attribution = { rule: row.attribution_rule, windowHours: row.attribution_hours }
  const texts = {
    userId: row.user_id,
    sessionId: row.session_id,
    pageViewId: row.page_view_id,
    experiment: row.experiment,
    arm: row.arm,
    personId: row.person,
  }
  return {
    decisionId: row.decision_id,
    timestamp: timeOfRow(row.timestamp),
    slotId: row.slot_id,
    anonymousId: row.anonymous_id,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    ...(draw && { recordVersion: draw.version ?? (2 as const) }),
    policy: row.policy,
    policyVersion: row.policy_version,
    outcome: row.outcome,
    holdout: row.holdout,
    contentIds: row.content_ids,
    propensities: row.propensities,
    position: row.position,
    candidates: row.candidates.map(({ content_id: contentId, score, probability }) => ({
      contentId,
      score,
      probability,
    })),
    excluded: draw?.version === undefined ? excluded : sayOnce(excluded),
    features,
    seed: row.seed,
    ...(row.holdout && draw && { ghost: row.ghost }),
    ...(draw && { draw }),
    ...(isObject(model) && { model: model as unknown as RecordedModel }),
    ...(typeof itemsAsOf === 'number' && { itemsAsOf }),
    ...(facts && { known: facts }),
    ...(isTexts(campaigns) && { campaigns }),
    ...(isNumbers(arms) && { arms }),
    ...(row.arm_shares.length > 0 && { armShares: row.arm_shares }),
    ...(isAttribution(attribution) && { attribution: attribution as Attribution }),
    ...(typeof latencyMs === 'number' && { latencyMs }),
  }
}

/** Reads what was missed, by content. */
function detailsOf(text: unknown): Map<string, string> {
  const list = typeof text === 'string' ? parseJson(text) : undefined
  return new Map(Array.isArray(list) ? list.filter(isPair) : [])
}

function isPair(raw: unknown): raw is [string, string] {
  return isTexts(raw) && raw.length === 2
}

function isTexts(raw: unknown): raw is string[] {
  return Array.isArray(raw) && raw.every(entry => typeof entry === 'string')
}

function isNumbers(raw: unknown): raw is number[] {
  return Array.isArray(raw) && raw.every(entry => typeof entry === 'number')
}
