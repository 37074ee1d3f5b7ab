import type { Metrics } from '@slotstream/runtime'
import type { StepResult } from './apply-step.js'

/** Creates the function that counts what became of messages of the stream. */
export function countSteps(metrics: Metrics): (result: StepResult) => void {
  const counted = metrics.counter('profiles_messages_total', 'Messages of the stream, by what became of them', [
    'result',
  ])
  const narrowings = metrics.counter(
    'profiles_narrowed_total',
    'Messages whose profile lost keys, sessions or users of features so that it stays within its bytes',
  )
  return ({ outcome, messages, narrowed }) => {
    counted.inc({ result: outcome }, messages)
    if (narrowed) narrowings.inc()
  }
}
