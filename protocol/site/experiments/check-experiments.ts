import { byteLength } from '../../wire/byte-length.js'
import { isObject } from '../../wire/checks/is-object.js'
import { type Reading, readFields } from '../catalog/reading.js'
import { type DefinitionCheck, shown, shownFaults } from '../definitions/faults.js'
import { type Experiment, type ExperimentArm, MAX_EXPERIMENT_BYTES, MAX_EXPERIMENTS } from './experiment.js'
import { EXPERIMENT_FIELDS } from './experiment-fields.js'
import type { TournamentRules } from './tournament.js'

/** By how much shares may miss 1, since thirds are no decimal fractions. */
const TOLERANCE = 1e-6

/**
 * Checks the form of the experiments of a site, as they are put: one line for each fault, naming the field by its path.
 * Whether slots and content are there is not looked at.
 */
export function checkExperiments(raw: unknown): DefinitionCheck<Experiment[]> {
  const checked = parseExperiments(raw, true)
  if (!checked.ok) return checked
  const bytes = byteLength(JSON.stringify(raw))
  return bytes <= MAX_EXPERIMENT_BYTES
    ? checked
    : { ok: false, faults: [`experiments: has ${bytes} bytes, ${MAX_EXPERIMENT_BYTES} are allowed`] }
}

/**
 * Checks the form of experiments.
 *
 * @param isStrict whether unknown fields are faults: in what is stored, a later version may have put some. Default: no
 */
export function parseExperiments(raw: unknown, isStrict = false): DefinitionCheck<Experiment[]> {
  if (!Array.isArray(raw)) return { ok: false, faults: [`experiments: must be a list, not ${shown(raw)}`] }
  if (raw.length > MAX_EXPERIMENTS)
    return { ok: false, faults: [`experiments: has ${raw.length} entries, ${MAX_EXPERIMENTS} are allowed`] }
  const reading: Reading = { faults: [], isStrict }
  const experiments = raw.map((entry, index) => readExperiment(entry, `experiments[${index}]`, reading))
  if (reading.faults.length === 0) reading.faults.push(...meaningFaults(experiments as Experiment[]))
  const { faults } = reading
  return faults.length > 0
    ? { ok: false, faults: shownFaults(faults) }
    : { ok: true, value: experiments as Experiment[] }
}

function readExperiment(raw: unknown, path: string, reading: Reading): unknown {
  if (isObject(raw)) return readFields(raw, EXPERIMENT_FIELDS, path, reading)
  reading.faults.push(`${path} must be an object, not ${shown(raw)}`)
  return raw
}

function meaningFaults(experiments: readonly Experiment[]): string[] {
  const faults = experiments.flatMap((experiment, index) => armFaults(experiment, `experiments[${index}]`))
  for (const [index, { id, slot, group, stopped }] of experiments.entries())
    for (const [place, other] of experiments.slice(0, index).entries()) {
      if (other.id === id)
        faults.push(`experiments[${index}].id is that of experiments[${place}], too: choose another one`)
      if (stopped || other.stopped) continue
      if (other.slot === slot && (group === undefined || other.group !== group))
        faults.push(
          `experiments[${index}].group must be that of "${other.id}", which tries the same slot: a person is in one of them`,
        )
    }
  return faults
}

function armFaults({ arms, stopped, tournament, guardrails = [] }: Experiment, path: string): string[] {
  const faults = arms.flatMap(({ id, policy, contentIds }, index) => [
    ...(arms.findIndex(arm => arm.id === id) < index ? [`${path}.arms[${index}].id "${id}" is used twice`] : []),
    ...(policy && contentIds ? [`${path}.arms[${index}] has both policy and contentIds: leave one out`] : []),
  ])
  if (stopped?.arm !== undefined && !arms.some(({ id }) => id === stopped.arm))
    faults.push(`${path}.stopped.arm must be one of ${arms.map(({ id }) => id).join(', ')}`)
  if (tournament) faults.push(...tournamentFaults(tournament, arms, guardrails.length > 0, `${path}.tournament`))
  const sum = arms.reduce((total, { share }) => total + share, 0)
  if (Math.abs(sum - 1) > TOLERANCE)
    faults.push(`${path}.arms have shares that add up to ${Number(sum.toFixed(6))}: they must add up to 1`)
  return faults
}

function tournamentFaults(
  { apply, arm }: TournamentRules,
  [control, ...candidates]: readonly ExperimentArm[],
  isGuarded: boolean,
  path: string,
): string[] {
  const faults: string[] = []
  if (control!.policy || control!.contentIds)
    faults.push(`${path} compares candidates with what runs: the first arm must have neither policy nor contentIds`)
  if (apply === 'promote' && isGuarded)
    faults.push(`${path}.apply must be try where there are guardrails: they are watched while persons are in the arm`)
  if (arm !== undefined && !candidates.some(({ id }) => id === arm))
    faults.push(`${path}.arm must be one of ${candidates.map(({ id }) => id).join(', ')}`)
  return faults
}
