import type { Experiment, StoppedExperiment } from '@slotstream/protocol'
import type { ExperimentResults } from './results.js'

/**
 * Returns how an experiment ends by its current results; undefined: it continues. Where the numbers cannot be trusted,
 * or a guardrail is broken, no arm is promoted: the slot returns to the control.
 *
 * @param at milliseconds since the epoch
 */
export function endOf(
  { stop, stopped }: Pick<Experiment, 'stop' | 'stopped'>,
  { stop: reason, lift, verdict }: Pick<ExperimentResults, 'stop' | 'lift' | 'verdict'>,
  at: number,
): StoppedExperiment | undefined {
  if (stopped || !stop || reason === null) return undefined
  const { apply = 'stop' } = stop
  if (apply === 'tell') return undefined
  const isPromoted =
    apply === 'promote' && lift.arm !== null && lift.low !== null && lift.low > 0 && SOUND.includes(reason)
  return { at: new Date(at).toISOString(), reason, ...(isPromoted && { arm: lift.arm! }), verdict }
}

/** Reasons with which the lift can be trusted. */
const SOUND: readonly (string | null)[] = ['better', 'units']
