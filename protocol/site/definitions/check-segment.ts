import { isObject } from '../../wire/checks/is-object.js'
import { type DefinitionField, fieldFaults, shown } from './faults.js'
import { MAX_DESCRIPTION } from './feature-fields.js'
import { isDefinitionName, NAME_FORM } from './name.js'

const CONDITION = 'a condition, such as {"features.views.camp": {"$gte": 2}}'

/** The fields of a segment, in the order in which the documentation lists them. */
export const SEGMENT_FIELDS: Record<string, DefinitionField> = {
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
  return fieldFaults(raw, SEGMENT_FIELDS, path)
}
