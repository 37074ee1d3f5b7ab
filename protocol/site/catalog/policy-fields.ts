import { isObject } from '../../wire/checks/is-object.js'
import { nearest } from '../../wire/checks/nearest.js'
import type { PolicySpec } from '../policies.js'
import { MAX_ENSEMBLE_DEPTH, MAX_ENSEMBLE_POLICIES, MAX_LISTED_CONTENT, MAX_WEIGHT } from './limits.js'
import { atMost, type CatalogField, type CatalogFields, objectOf, type Reading, readFields } from './reading.js'
import { isIdList, isShare, isWithin } from './values.js'

/** Name of a policy, as its `type` has it. */
export type PolicyType = PolicySpec['type']

/** Ways in which the policy `contextual` draws. */
export const CONTEXTUAL_DRAWS = ['quadrature', 'gaps', 'samples'] as const

/** Share of draws that any content can win under `affinity` where it says nothing. */
const AFFINITY_EXPLORATION = 0.1

const BY_SEGMENT: CatalogField = {
  form: 'true or false',
  isFit: value => typeof value === 'boolean',
  meaning: "whether what counts is what the person's segments earned",
  default: '`false`',
}

const PRIOR_COUNT: CatalogField = {
  form: `a number above 0, of at most ${MAX_WEIGHT}`,
  isFit: value => isWithin(value, Number.MIN_VALUE, MAX_WEIGHT),
  meaning: 'views as if they had been, with a reward or without one',
  isRequired: true,
}

/** The fields of a thompson policy's `prior`. */
export const PRIOR_FIELDS: CatalogFields = { successes: PRIOR_COUNT, failures: PRIOR_COUNT }

/** The fields of an entry of an ensemble. */
export const ENSEMBLE_FIELDS: CatalogFields = {
  share: {
    form: `a number above 0, of at most ${MAX_WEIGHT}`,
    isFit: value => isWithin(value, Number.MIN_VALUE, MAX_WEIGHT),
    meaning: 'relative share of the persons who get it',
    isRequired: true,
  },
  policy: { form: 'an object with a type', isFit: isObject, meaning: 'any policy', isRequired: true },
}

/** The fields of policies beside `type`, by their type, in the order in which the documentation lists them. */
export const POLICY_FIELDS: Readonly<Record<PolicyType, CatalogFields>> = {
  contextual: {
    draw: {
      form: `one of ${CONTEXTUAL_DRAWS.join(', ')}`,
      isFit: value => CONTEXTUAL_DRAWS.includes(value as (typeof CONTEXTUAL_DRAWS)[number]),
      meaning: 'how chances are worked out',
      default: '`quadrature` for one item, `samples` for several',
    },
  },
  thompson: {
    prior: {
      form: 'an object such as {"successes": 1, "failures": 9}',
      isFit: isObject,
      read: objectOf(PRIOR_FIELDS),
      meaning: 'what is expected of a content without views',
      default: "what the slot's contents suggest",
    },
  },
  popular: { bySegment: BY_SEGMENT },
  trending: { bySegment: BY_SEGMENT },
  affinity: {
    exploration: {
      form: 'a share from 0 to 1',
      isFit: isShare,
      meaning: 'share of draws that any content can win',
      default: `\`${AFFINITY_EXPLORATION}\``,
      filledWith: AFFINITY_EXPLORATION,
    },
    popularity: {
      form: 'true, or left out',
      isFit: value => value === true,
      meaning: 'interests times popularity',
      default: 'interests alone',
    },
  },
  covisitation: {},
  knn: {},
  ease: {},
  weighted: {},
  random: {},
  fixed: {
    contentIds: {
      form: 'a list of content ids',
      isFit: isIdList,
      read: atMost(MAX_LISTED_CONTENT),
      meaning: `up to ${MAX_LISTED_CONTENT.toLocaleString('en-US')} contents, in this order, as far as they can be shown`,
      isRequired: true,
    },
  },
  ensemble: {
    policies: {
      form: `a list of 1 to ${MAX_ENSEMBLE_POLICIES} objects such as {"share": 1, "policy": {"type": "random"}}`,
      isFit: value => Array.isArray(value) && value.length >= 1 && value.length <= MAX_ENSEMBLE_POLICIES,
      meaning: `policies for shares of the persons; an ensemble may hold others, up to ${MAX_ENSEMBLE_DEPTH} deep`,
      isRequired: true,
    },
  },
}

/** Types of policies. */
export const POLICY_TYPES = Object.keys(POLICY_FIELDS) as PolicyType[]

/** Reads a slot's `policy`. */
export const readPolicy: NonNullable<CatalogField['read']> = (raw: Record<string, unknown>, path, reading) =>
  readNested(raw, path, reading, 1)

/** @param depth 1: no ensemble holds it */
function readNested(raw: Record<string, unknown>, path: string, reading: Reading, depth: number): unknown {
  const { type } = raw
  if (!isPolicyType(type)) {
    const meant = typeof type === 'string' ? nearest(type, POLICY_TYPES) : undefined
    const hint = meant === undefined ? '' : `: did you mean "${meant}"?`
    reading.faults.push(`${path}.type must be one of ${POLICY_TYPES.join(', ')}${hint}`)
    return raw
  }
  const fields = { type: TYPE, ...POLICY_FIELDS[type] }
  const policy = readFields(raw, fields, path, reading)
  if (type !== 'ensemble' || !Array.isArray(policy.policies)) return policy
  if (depth > MAX_ENSEMBLE_DEPTH) {
    reading.faults.push(`${path}.policies is an ensemble within ${MAX_ENSEMBLE_DEPTH} others, which is too deep`)
    return policy
  }
  return { ...policy, policies: policy.policies.map((entry, index) => readEntry(entry, `${path}.policies[${index}]`)) }

  function readEntry(entry: unknown, at: string): unknown {
    if (!isObject(entry)) {
      reading.faults.push(`${at} must be an object such as {"share": 1, "policy": {"type": "random"}}`)
      return entry
    }
    const member = readFields(entry, ENSEMBLE_FIELDS, at, reading)
    return isObject(member.policy)
      ? { ...member, policy: readNested(member.policy, `${at}.policy`, reading, depth + 1) }
      : member
  }
}

const TYPE: CatalogField = { form: 'a type', isFit: isPolicyType, meaning: 'which policy it is', isRequired: true }

function isPolicyType(value: unknown): value is PolicyType {
  return typeof value === 'string' && Object.hasOwn(POLICY_FIELDS, value)
}
