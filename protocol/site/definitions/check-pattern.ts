import { isObject } from '../../wire/checks/is-object.js'
import { SEGMENT_SIGNALS, SIGNALS } from '../signals.js'
import { type DefinitionField, fieldFaults, isMisspelt, shown } from './faults.js'
import { ABSENCE_FIELDS, COMMON_FIELDS, KIND_FIELDS, STEP_FIELDS } from './pattern-fields.js'
import { PATTERN_KINDS, patternKindOf } from './patterns.js'

/** All fields that there are, for the hint at a misspelt one where the kind is unknown. */
const ALL_FIELDS = [
  ...new Set([...PATTERN_KINDS.flatMap(kind => Object.keys(KIND_FIELDS[kind])), ...Object.keys(COMMON_FIELDS)]),
]

const OFF_FIELDS: Record<string, DefinitionField> = {
  name: COMMON_FIELDS.name!,
  off: { form: 'true, or left out', isFit: value => value === true, meaning: '' },
}

/**
 * Returns one line for each fault of a pattern, naming the field by its path. Whether its conditions can be used is not
 * looked at: what compiles them tells.
 *
 * @param path of the pattern, such as `patterns[2]`
 */
export function patternFaults(raw: unknown, path: string): string[] {
  if (!isObject(raw)) return [`${path}: must be an object, not ${shown(raw)}`]
  if (Object.hasOwn(raw, 'off')) return fieldFaults(raw, OFF_FIELDS, path)
  const kind = patternKindOf(raw)
  if (kind === undefined) return kindFaults(raw, path)
  const faults = [...fieldFaults(raw, { ...COMMON_FIELDS, ...KIND_FIELDS[kind] }, path), ...nameFaults(raw.name, path)]
  return kind === 'sequence' && Array.isArray(raw.sequence)
    ? [...faults, ...sequenceFaults(raw.sequence, `${path}.sequence`)]
    : faults
}

function kindFaults(raw: Record<string, unknown>, path: string): string[] {
  const kinds = PATTERN_KINDS.filter(kind => Object.hasOwn(raw, kind))
  const faults = [...fieldFaults(raw, COMMON_FIELDS, path, ALL_FIELDS), ...nameFaults(raw.name, path)]
  if (kinds.length > 0) return [...faults, `${path}.${kinds[1]}: goes not with ${kinds[0]}, leave one of them out`]
  if (PATTERN_KINDS.some(kind => isMisspelt(raw, kind, ALL_FIELDS))) return faults
  return [...faults, `${path}: what it looks for is missing, give it one of ${PATTERN_KINDS.join(', ')}`]
}

/** Some names are taken: signals of two kinds under one name could not be told apart. */
function nameFaults(name: unknown, path: string): string[] {
  if ((SIGNALS as readonly unknown[]).includes(name)) return [`${path}.name: "${name}" is the name of a detector`]
  const isOfSegments = (SEGMENT_SIGNALS as readonly unknown[]).includes(name)
  return isOfSegments ? [`${path}.name: "${name}" is the name of a signal of segments`] : []
}

function sequenceFaults(steps: unknown[], path: string): string[] {
  const isKeyed = isObject(steps[0]) && steps[0].key !== undefined
  return steps.flatMap((step, index) => {
    const at = `${path}[${index}]`
    if (!isObject(step)) return [`${at}: must be an object, not ${shown(step)}`]
    if (!isAbsence(step)) return messageFaults(step, at, isKeyed)
    const faults = absenceFaults(step, at, isKeyed)
    if (index === 0) faults.push(`${at}.not: cannot be the first step, because an absence begins with a message`)
    if (isAbsence(steps[index - 1])) faults.push(`${at}.not: follows another one, put both into one as a list`)
    if (index === steps.length - 1 && step.within === undefined)
      faults.push(`${at}.within: is missing, the last step must say how long the message stays away`)
    return faults
  })
}

function messageFaults(step: Record<string, unknown>, path: string, isKeyed: boolean): string[] {
  const faults = fieldFaults(step, STEP_FIELDS, path)
  if (step.key !== undefined && !isKeyed)
    faults.push(`${path}.key: needs a key in the first step, whose value it is compared with`)
  return faults
}

function absenceFaults(step: Record<string, unknown>, path: string, isKeyed: boolean): string[] {
  const faults = fieldFaults(step, ABSENCE_FIELDS, path)
  const { not } = step
  if (isObject(not)) return [...faults, ...messageFaults(not, `${path}.not`, isKeyed)]
  if (!Array.isArray(not)) return faults
  return not.reduce<string[]>((all, entry, index) => {
    const at = `${path}.not[${index}]`
    return all.concat(
      isObject(entry) ? messageFaults(entry, at, isKeyed) : [`${at}: must be an object, not ${shown(entry)}`],
    )
  }, faults)
}

function isAbsence(step: unknown): boolean {
  return isObject(step) && Object.hasOwn(step, 'not')
}
