import { byteLength } from '../../wire/byte-length.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isId } from '../../wire/checks/parse-stored.js'
import { MAX_NAME_LENGTH } from '../../wire/limits.js'
import { CAP_WINDOWS, type FrequencyCap } from '../catalog.js'
import {
  MAX_CAP_COUNT,
  MAX_CAPS,
  MAX_PAYLOAD_BYTES,
  MAX_PRICE,
  MAX_SLOTS_OF_CONTENT,
  MAX_TAGS,
  MAX_WEIGHT,
} from './limits.js'
import { atMost, type CatalogField, type CatalogFields, listOf } from './reading.js'
import { EVENT_FORM, ID_FORM, WHERE_FORM } from './slot-fields.js'
import { isEventName, isIdList, isWholeWithin, isWithin, jsonTrouble, readJson } from './values.js'

/** The fields of a cap. */
export const CAP_FIELDS: CatalogFields = {
  count: {
    form: `a whole number from 1 to ${MAX_CAP_COUNT}`,
    isFit: value => isWholeWithin(value, 1, MAX_CAP_COUNT),
    meaning: 'how often a person is shown it, at most',
    isRequired: true,
  },
  per: {
    form: `one of ${CAP_WINDOWS.join(', ')}`,
    isFit: value => CAP_WINDOWS.includes(value as FrequencyCap['per']),
    meaning: 'time that counts, up to now, or the session',
    isRequired: true,
  },
}

const DATE: Pick<CatalogField, 'form' | 'isFit'> = {
  form: 'an ISO 8601 date with a time zone, such as "2026-11-27T09:00:00Z"',
  isFit: value => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
}

const readPayload: NonNullable<CatalogField['read']> = (payload: object, path, { faults, isStrict }) => {
  for (const [key, value] of Object.entries(payload))
    if (typeof value === 'object' && value !== null)
      faults.push(`${path}.${key} must be text, a number, true, false or null`)
  if (!isStrict) return payload
  const trouble = jsonTrouble(payload)
  if (trouble !== undefined) faults.push(`${path} ${trouble}`)
  else {
    const bytes = byteLength(JSON.stringify(payload))
    if (bytes > MAX_PAYLOAD_BYTES) faults.push(`${path} has ${bytes} bytes, ${MAX_PAYLOAD_BYTES} are allowed`)
  }
  return payload
}

/** The fields of a content, in the order in which the documentation lists them. */
export const CONTENT_FIELDS: CatalogFields = {
  id: { form: ID_FORM, isFit: isId, meaning: 'its name, in decisions and events', isRequired: true },
  slots: {
    form: 'a list of slot ids',
    isFit: isIdList,
    read: atMost(MAX_SLOTS_OF_CONTENT),
    meaning: 'slots that it may appear in',
    default: 'those whose [candidates](#candidates) it meets',
    filledWith: [],
  },
  category: {
    form: 'text',
    isFit: value => typeof value === 'string',
    meaning: "its subject, which is matched with the person's interests",
    default: '`""`',
    filledWith: '',
  },
  payload: {
    form: 'an object of text, numbers, true, false and null',
    isFit: isObject,
    read: readPayload,
    meaning: 'what the page renders, by name: text, numbers, true, false, null, see [payload](#payload)',
    default: '`{}`',
    filledWith: {},
  },
  startsAt: { ...DATE, meaning: 'shown from this time on', default: 'at once' },
  endsAt: { ...DATE, meaning: 'shown until this time', default: 'for good' },
  where: {
    form: WHERE_FORM,
    isFit: isObject,
    read: readJson,
    meaning: 'condition that the person and the request meet to be shown it, see [targeting](#targeting)',
    default: 'everyone',
  },
  caps: {
    form: `a list of up to ${MAX_CAPS} objects such as {"count": 3, "per": "24h"}`,
    isFit: Array.isArray,
    read: listOf(CAP_FIELDS, MAX_CAPS, '{"count": 3, "per": "24h"}'),
    meaning: 'how often a person is shown it, see [caps](#caps)',
    default: 'as often as it is chosen',
  },
  stopAfter: {
    form: EVENT_FORM,
    isFit: isEventName,
    meaning: 'event after which the person is not shown it any more',
  },
  stock: {
    form: 'a whole number from 0',
    isFit: value => isWholeWithin(value, 0, Number.MAX_SAFE_INTEGER),
    meaning: 'pieces left, which you keep up to date; at 0 it is not shown',
    default: 'unlimited',
  },
  weight: {
    form: `a number from 0 to ${MAX_WEIGHT}`,
    isFit: value => isWithin(value, 0, MAX_WEIGHT),
    meaning: 'relative chance under the policy `weighted`',
    default: '`1`',
  },
  tags: {
    form: `a list of texts of 1 to ${MAX_NAME_LENGTH} characters`,
    isFit: isIdList,
    read: atMost(MAX_TAGS),
    meaning: `up to ${MAX_TAGS.toLocaleString('en-US')} labels; \`contextual\` learns from the first four in their order`,
  },
  brand: { form: ID_FORM, isFit: isId, meaning: 'its brand, from which `contextual` learns' },
  price: {
    form: `a number from 0 to ${MAX_PRICE}`,
    isFit: value => isWithin(value, 0, MAX_PRICE),
    meaning: 'its price, from which `contextual` learns by its magnitude',
  },
  attributes: {
    form: 'an object',
    isFit: isObject,
    read: readJson,
    meaning: 'any more facts, which pages do not get',
  },
}
