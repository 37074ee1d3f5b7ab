import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import { MAX_ITEMS, MAX_NAME_LENGTH } from '../../wire/limits.js'
import { attributionTrouble } from '../attribution.js'
import { type Attribution, DEFAULT_ATTRIBUTION } from '../catalog.js'
import { isPath, isSpan } from '../definitions/feature-fields.js'
import { isDefinitionName, NAME_FORM } from '../definitions/name.js'
import { DEFAULT_EXPLORATION } from '../policies.js'
import { REWARD_SENDERS, type RewardSender } from '../rewards.js'
import { MAX_CAMPAIGN_CONTENT, MAX_CAMPAIGNS, MAX_REWARD_HOURS, MAX_REWARD_VALUE, MAX_REWARDS } from './limits.js'
import { readPolicy } from './policy-fields.js'
import { type CatalogField, type CatalogFields, listOf, objectOf } from './reading.js'
import { isDuration, isEventName, isFilledIdList, isShare, isWholeWithin, isWithin, readJson } from './values.js'

/** Description of the name of a slot, a content or a campaign, as it follows "must be". */
export const ID_FORM = `text of 1 to ${MAX_NAME_LENGTH} characters`

/** Description of an event's name, as it follows "must be". */
export const EVENT_FORM = "an event's name, such as Order Completed"

/** Description of a condition over persons, as it follows "must be". */
export const WHERE_FORM = 'a condition, such as {"traits.plan": "pro"}'

const CAMPAIGN_MODES = ['pin', 'boost']
const COUNTS_FROM = ['viewed', 'served']

/** The fields of a reward. */
export const REWARD_FIELDS: CatalogFields = {
  event: {
    form: EVENT_FORM,
    isFit: isEventName,
    meaning: 'event of a `track` message, or another type of message such as `page`',
    isRequired: true,
  },
  where: {
    form: 'a condition, such as {"properties.revenue": {"$gt": 10}}',
    isFit: isObject,
    read: readJson,
    meaning: 'condition that the message must meet, as in features',
    default: 'any message',
  },
  value: {
    form: `a number from -${MAX_REWARD_VALUE} to ${MAX_REWARD_VALUE}, or a path in the message such as properties.revenue`,
    isFit: value => isWithin(value, -MAX_REWARD_VALUE, MAX_REWARD_VALUE) || isPath(value),
    meaning: 'worth of the message; with it each message counts, without it the first one for an item',
    default: '1, once per item',
  },
  min: {
    form: `a number from -${MAX_REWARD_VALUE} to 0`,
    isFit: value => isWithin(value, -MAX_REWARD_VALUE, 0),
    meaning: 'what an item earns by it at least; below 0 lets messages take away',
    default: '0 where `value` is a path, 8 times `value` where it is negative',
  },
  max: {
    form: `a number from 0 to ${MAX_REWARD_VALUE}`,
    isFit: value => isWithin(value, 0, MAX_REWARD_VALUE),
    meaning: 'what an item earns by it at most: larger values count as this',
    default: '8 times `value`, or 8 times what is [typical](policies.md#bounds-of-what-one-visitor-teaches)',
  },
  from: {
    form: `one of ${REWARD_SENDERS.join(', ')}`,
    isFit: value => REWARD_SENDERS.includes(value as RewardSender),
    meaning: '`secret`: only messages with a secret key count, so that no page can say what it is worth',
    default: '`any`',
  },
  halfLife: {
    form: 'a duration such as "24h" or "7d"',
    isFit: isSpan,
    meaning:
      'time after the decision in which the worth of the message halves; each message counts then, also without `value`',
    default: 'it is worth the same to the end of the window',
  },
  windowHours: {
    form: `a whole number from 1 to ${MAX_REWARD_HOURS}`,
    isFit: value => isWholeWithin(value, 1, MAX_REWARD_HOURS),
    meaning: 'hours after the decision within which the message counts',
    isRequired: true,
  },
}

/** The fields of a campaign. */
export const CAMPAIGN_FIELDS: CatalogFields = {
  id: { form: ID_FORM, isFit: isId, meaning: 'its name, unique in the slot', isRequired: true },
  where: {
    form: WHERE_FORM,
    isFit: isObject,
    read: readJson,
    meaning: 'condition that the person and the request meet',
    default: 'everyone',
  },
  contentIds: {
    form: `a list of 1 to ${MAX_CAMPAIGN_CONTENT} content ids`,
    isFit: value => isFilledIdList(value) && (value as unknown[]).length <= MAX_CAMPAIGN_CONTENT,
    meaning: 'its content; what is not eligible is left out',
    isRequired: true,
  },
  mode: {
    form: `one of ${CAMPAIGN_MODES.join(', ')}`,
    isFit: value => CAMPAIGN_MODES.includes(value as string),
    meaning:
      '`pin`: its content comes first, in this order. `boost`: the policy chooses among its content as long as there is some',
    isRequired: true,
  },
}

/** The fields of `exploration`. */
export const EXPLORATION_FIELDS: CatalogFields = {
  atLeast: {
    form: 'a share from 0 to 1',
    isFit: isShare,
    meaning: 'least share of draws that any content can win',
    isRequired: true,
  },
  neverBelow: {
    form: 'a share from 0 to 1',
    isFit: isShare,
    meaning: 'least chance of each content that may be shown, for each position, as far as there is room for all',
    default: 'its part of `atLeast`',
  },
}

/**
 * Reads `control`: content for the holdout is told to be unsupported; where it is stored already, the page's own is
 * what they see.
 */
const readControl: NonNullable<CatalogField['read']> = (control: unknown, path, { faults, isStrict }) => {
  if (isStrict && control !== 'page')
    faults.push(`${path} must be "page": contentIds are not supported: held-out visitors keep the page's own content`)
  return 'page'
}

/** Reads `attribution`, which has a check of its own. */
const readAttribution: NonNullable<CatalogField['read']> = (raw: Partial<Attribution>, _path, { faults }) => {
  const trouble = attributionTrouble(raw)
  if (trouble !== undefined) faults.push(trouble)
  return { ...DEFAULT_ATTRIBUTION, ...raw }
}

/** Reads campaigns: two of one name could not be told apart in records. */
const readCampaigns: NonNullable<CatalogField['read']> = (list: never, path, reading) => {
  const read = listOf(CAMPAIGN_FIELDS, MAX_CAMPAIGNS, '{"id": "…", "contentIds": ["…"], "mode": "pin"}')
  const campaigns = read(list, path, reading) as { id?: string }[]
  const first = new Map<string | undefined, number>()
  for (const [index, { id }] of campaigns.entries()) {
    const before = id === undefined ? undefined : first.get(id)
    if (before === undefined) first.set(id, index)
    else reading.faults.push(`${path}[${index}].id is the id of ${path}[${before}], too`)
  }
  return campaigns
}

/** The fields of a slot, in the order in which the documentation lists them. */
export const SLOT_FIELDS: CatalogFields = {
  id: { form: ID_FORM, isFit: isId, meaning: 'its name, by which pages ask for it', isRequired: true },
  policy: {
    form: 'an object with a type',
    isFit: isObject,
    read: readPolicy,
    meaning: 'how it chooses, see [policies](#policies)',
    default: 'the [default policy](policies.md), which learns',
  },
  candidates: {
    form: 'a condition, such as {"category": "tents", "price": {"$lt": 200}}',
    isFit: isObject,
    read: readJson,
    meaning:
      'condition over contents: it takes those that meet it, and those that name it, see [candidates](#candidates)',
    default: 'contents that name it',
  },
  count: {
    form: `a whole number from 1 to ${MAX_ITEMS}`,
    isFit: value => isWholeWithin(value, 1, MAX_ITEMS),
    meaning: 'how many items it shows',
    default: '`1`',
    filledWith: 1,
  },
  holdout: {
    form: 'a share from 0 to 1',
    isFit: isShare,
    meaning: "share of visitors who keep the page's own content, always the same ones",
    default: '`0`',
    filledWith: 0,
  },
  holdoutTag: {
    form: NAME_FORM,
    isFit: isDefinitionName,
    meaning: 'another tag holds out other visitors; slots of the same tag, or of none, hold out the same ones',
  },
  control: {
    form: '"page"',
    isFit: value => value === 'page' || isObject(value),
    read: readControl,
    meaning: "what the holdout sees: the page's own content",
    default: '`"page"`',
  },
  rewards: {
    form: `a list of up to ${MAX_REWARDS} objects such as {"event": "Order Completed", "windowHours": 24}`,
    isFit: Array.isArray,
    read: listOf(REWARD_FIELDS, MAX_REWARDS, '{"event": "Order Completed", "windowHours": 24}'),
    meaning: 'what a decision can earn, see [rewards](#rewards)',
    default: 'a `Slot Clicked` within 24 hours',
  },
  countFrom: {
    form: `one of ${COUNTS_FROM.join(', ')}`,
    isFit: value => COUNTS_FROM.includes(value as string),
    meaning:
      'when an item that earned nothing counts: when it is viewed, or when it is served, for pages that report no views',
    default: '`viewed`',
  },
  exploration: {
    form: 'an object such as {"atLeast": 0.05}',
    isFit: isObject,
    read: objectOf(EXPLORATION_FIELDS),
    meaning:
      '`atLeast`: least share of draws that any content can win; `neverBelow`: least chance of each content, see [exploration](#exploration). `affinity` has its own, `weighted`, `random` and `fixed` have none',
    default: `\`{"atLeast": ${DEFAULT_EXPLORATION}}\``,
  },
  campaigns: {
    form: `a list of up to ${MAX_CAMPAIGNS} objects such as {"id": "sale", "contentIds": ["tent"], "mode": "pin"}`,
    isFit: Array.isArray,
    read: readCampaigns,
    meaning: 'content that takes precedence over the policy, in this order, see [campaigns](#campaigns)',
  },
  schema: {
    form: 'a JSON Schema of draft 2020-12, with "type": "object"',
    isFit: isObject,
    read: readJson,
    meaning: 'schema that the payload of its content fits, see [payload](#payload)',
    default: 'any payload',
  },
  attribution: {
    form: 'an object such as {"rule": "lastClick", "windowHours": 24}',
    isFit: isObject,
    read: readAttribution,
    meaning: 'how orders are [credited](sql.md#credit) to clicks on it, in reports',
    default: '`{"rule": "lastClick", "windowHours": 24}`',
  },
  maxAge: {
    form: 'a duration such as "5s" or "1m"',
    isFit: isDuration,
    meaning:
      'greatest age of the features that the policy asks for; where they are older, the page keeps its own content',
    default: 'any',
  },
}
