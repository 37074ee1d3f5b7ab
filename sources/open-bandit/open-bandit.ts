import { createHash } from 'node:crypto'
import { type Content, type DecisionRecord, type Message, parseTime, type Slot } from '@slotstream/protocol'
import { ReplayError } from '../errors.js'
import { derivedId } from '../ids.js'
import type { Row } from './csv.js'

/**
 * The format of the Open Bandit Dataset (Saito et al., https://arxiv.org/abs/2008.07146): one row per impression of
 * one item at one of three positions, with the probability with which it was drawn, and whether it was clicked.
 */

/** Columns by which an impression log is known, and those of an item table. */
export const LOG_COLUMNS = ['timestamp', 'item_id', 'position', 'click', 'propensity_score']
export const ITEM_COLUMNS = ['item_id', 'item_feature_0']

/** The slot of the shop's page; its three places are the positions 1 to 3. */
export const SLOT_ID = 'recommendations'
const POSITIONS = 3

/** One row of the log. */
export interface Impression {
  /** Number of the row, from 0. Part of its ids. */
  index: number
  /** Milliseconds since the epoch. The log's microseconds are cut: the wire and the warehouse keep milliseconds. */
  time: number
  contentId: string
  position: number
  clicked: boolean
  propensity: number
  /** The four hashed features of the user, by column. */
  userFeatures: Record<string, string>
  /** Past clicks of this user, or of users like this one, on items; zeros left out. By content id. */
  affinities: Record<string, number>
}

/** Values that an impression's ids are made from, beside its own number. */
export interface Source {
  siteId: string
  /** Hash of the log's content: another log has other ids, the same log under another name has the same. */
  fingerprint: string
  /** Name of the policy that drew, which the log itself doesn't say. */
  policy: string
}

export const contentIdOf = (itemId: string) => `item-${itemId}`

/** Reads one row of the log. Throws a ReplayError that names the line when a value is none. */
export function readImpression({ fields, line }: Row, index: number, file: string): Impression {
  const wrong = (column: string, form: string) =>
    new ReplayError(`${file}:${line}: ${column} is "${fields[column]}", it must be ${form}`)
  const time = parseTime(fields.timestamp ?? '')
  if (time === undefined) throw wrong('timestamp', 'a time such as 2019-11-24 00:00:00+00:00')
  if (!/^\d+$/.test(fields.item_id ?? '')) throw wrong('item_id', 'a whole number')
  const position = Number(fields.position)
  if (!(position >= 1 && position <= POSITIONS && Number.isInteger(position))) throw wrong('position', '1, 2 or 3')
  if (fields.click !== '0' && fields.click !== '1') throw wrong('click', '0 or 1')
  const propensity = Number(fields.propensity_score)
  if (!(propensity > 0 && propensity <= 1)) throw wrong('propensity_score', 'a probability above 0')

  const userFeatures: Record<string, string> = {}
  const affinities: Record<string, number> = {}
  for (const [column, value] of Object.entries(fields)) {
    if (column.startsWith('user_feature_')) userFeatures[column] = value
    const itemId = /^user-item_affinity_(\d+)$/.exec(column)?.[1]
    if (itemId !== undefined && Number(value) !== 0) affinities[contentIdOf(itemId)] = Number(value)
  }
  return {
    index,
    time,
    contentId: contentIdOf(fields.item_id!),
    position,
    clicked: fields.click === '1',
    propensity,
    userFeatures,
    affinities,
  }
}

/**
 * Returns the id of a visitor. The log names no visitors: the four user features are all that is known of one. So
 * everybody with the same features is one visitor here (230 in the small log of the men's campaign). Nothing is
 * invented, but "sessions" and "profiles" of this site are those of groups of people who look alike.
 */
export function anonymousIdOf({ userFeatures }: Impression): string {
  const features = Object.entries(userFeatures).flat().join('\0')
  return `open-bandit-${createHash('sha256').update(features).digest('hex').slice(0, 16)}`
}

/**
 * Returns the decision behind an impression, as far as the log tells: it doesn't say what the other candidates' chances
 * were.
 */
export function toDecision(impression: Impression, source: Source): DecisionRecord {
  return {
    decisionId: decisionIdOf(impression, source),
    timestamp: new Date(impression.time).toISOString(),
    slotId: SLOT_ID,
    anonymousId: anonymousIdOf(impression),
    policy: source.policy,
    policyVersion: 'open-bandit',
    outcome: 'served',
    holdout: false,
    contentIds: [impression.contentId],
    propensities: [impression.propensity],
    position: impression.position,
    candidates: [],
    excluded: [],
    features: { ...impression.userFeatures, affinities: impression.affinities },
    seed: '',
  }
}

/**
 * `Slot Viewed`, and `Slot Clicked` if it was clicked; the log has one time for both. No `sentAt`: with one, the
 * collector would take these old times for those of a wrong clock and move them to today.
 */
export function toMessages(impression: Impression, source: Source): Message[] {
  const messageOf = (event: string): Message => ({
    messageId: derivedId(impression.time, source.siteId, source.fingerprint, String(impression.index), event),
    type: 'track',
    event,
    anonymousId: anonymousIdOf(impression),
    timestamp: new Date(impression.time).toISOString(),
    properties: {
      slotId: SLOT_ID,
      contentId: impression.contentId,
      decisionId: decisionIdOf(impression, source),
      position: impression.position,
    },
  })
  return impression.clicked ? [messageOf('Slot Viewed'), messageOf('Slot Clicked')] : [messageOf('Slot Viewed')]
}

function decisionIdOf({ time, index }: Impression, { siteId, fingerprint }: Source): string {
  return derivedId(time, siteId, fingerprint, String(index), 'decision')
}

/** Returns the slot that the log's impressions were shown in. */
export function toSlot(): Slot {
  return { id: SLOT_ID, policy: { type: 'random' }, count: POSITIONS, holdout: 0 }
}

/**
 * Returns one item as content. Its category is the first of its hashed features, which many items share; an item that
 * has no row in the item table has none.
 */
export function toContent(contentId: string, features: Record<string, string> = {}): Content {
  const payload: Content['payload'] = { title: contentId }
  for (const [column, value] of Object.entries(features))
    if (column.startsWith('item_feature_')) payload[column] = value
  return { id: contentId, slots: [SLOT_ID], category: features.item_feature_1 ?? '', payload }
}
