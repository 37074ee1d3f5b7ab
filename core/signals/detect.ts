import type { JsonObject, Profile, SignalMemory, SignalName } from '@slotstream/protocol'
import { sessionIdOf } from '../profile/sessions.js'
import type { Detection, Detector, Observation, ProfileBefore } from './detector.js'
import { interestShift } from './interest-shift.js'
import { repeatedView } from './repeated-view.js'
import { sessionAnomaly } from './session-anomaly.js'

/** State of each detector. */
type Memories = Required<SignalMemory>

/** All that is detected, in the order in which it is told. */
const DETECTORS: { [Name in SignalName]: Detector<Memories[Name]> } = {
  interest_shift: interestShift,
  session_anomaly: sessionAnomaly,
  repeated_view: repeatedView,
}

const NAMES = Object.keys(DETECTORS) as SignalName[]

/** A signal that was found at a message. */
export interface Detected {
  signal: SignalName
  sessionId: string
  details: JsonObject
}

/**
 * Lets all detectors look at one message. Pure. `sessionId`: the session that it belongs to, '' where it is not known.
 */
export function detect(observed: Omit<Observation, 'session'>): {
  memory: SignalMemory
  detected: Detected[]
  sessionId: string
} {
  const { before, message, at, after, interests } = observed
  const session = sessionOf(before, after)
  const seen: Observation = { before, message, at, after, interests, session }
  const memory: SignalMemory = {}
  const detected: Detected[] = []
  const sessionId = (session === 'late' ? sessionIdOf(message) : after.session?.id) ?? ''
  for (const signal of NAMES) {
    const details = step(signal, seen, before?.signalMemory, memory)
    if (details) detected.push({ signal, sessionId, details })
  }
  return { memory, detected, sessionId }
}

/** Lets one detector look, and notes what it remembers in `into`. */
function step<Name extends SignalName>(
  name: Name,
  seen: Observation,
  earlier: Partial<Memories> | undefined,
  into: Partial<Memories>,
): JsonObject | undefined {
  const { memory, details }: Detection<Memories[Name]> = DETECTORS[name](seen, earlier?.[name])
  if (memory !== undefined) into[name] = memory
  return details
}

function sessionOf(before: ProfileBefore | undefined, { session }: Profile): Observation['session'] {
  if (session === before?.session) return 'late'
  return session?.id === before?.session?.id ? 'continues' : 'began'
}
