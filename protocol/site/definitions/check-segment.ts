import { isObject } from '../../wire/checks/is-object.js'
import { shown, unknownFields } from './faults.js'
import { MAX_DESCRIPTION } from './feature-fields.js'
import { isDefinitionName, NAME_FORM } from './name.js'

/**
 * A field of a segment: what it may be, and what it is for. The check, the API's description and docs/profiles.md read
 * it.
 */
export interface SegmentField {
  /** Description of a permitted value, as it follows "must be". */
  form: string
  isFit(value: unknown): boolean
  meaning: string
  /** As it stands in the documentation; absent: it must be given, or has no default. */
  default?: string
  isRequired?: true
}

const CONDITION = 'a condition, such as {"features.views.camp": {"$gte": 2}}'

/** The fields of a segment, in the order in which the documentation lists them. */
export const SEGMENT_FIELDS: Record<string, SegmentField> = {
  name: {
    form: NAME_FORM,
    isFit: isDefinitionName,
    meaning: 'name, by which other segments and answers call it; unique in the set',
    isRequired: true,
  },
  where: {
    form: CONDITION,
    isFit: isObject,
    meaning: 'condition that a person meets to be in it',
    isRequired: true,
  },
  leaveWhere: {
    form: CONDITION,
    isFit: isObject,
    meaning: 'condition that a member meets to leave it: it stays until then, and no person enters while it holds',
    default: '`where` no longer holds',
  },
  description: {
    form: `text of at most ${MAX_DESCRIPTION} characters`,
    isFit: value => typeof value === 'string' && value.length <= MAX_DESCRIPTION,
    meaning: 'a note for its readers',
  },
}

/**
 * Returns one line for each fault of a segment, naming the field by its path. Whether its conditions can be used is not
 * looked at: what compiles them tells.
 *
 * @param path of the segment, such as `segments[2]`
 */
export function segmentFaults(raw: unknown, path: string): string[] {
  if (!isObject(raw)) return [`${path}: must be an object, not ${shown(raw)}`]
  const faults = unknownFields(raw, Object.keys(SEGMENT_FIELDS), path)
  for (const [name, { form, isFit, isRequired }] of Object.entries(SEGMENT_FIELDS)) {
    const value = raw[name]
    if (value === undefined && !isRequired) continue
    if (!isFit(value)) faults.push(`${path}.${name}: must be ${form}, not ${shown(value)}`)
  }
  return faults
}
