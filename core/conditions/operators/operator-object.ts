import { isObject } from '@slotstream/protocol'

/** Returns whether a value is an object all of whose keys are operators. */
export function isOperatorObject(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every(key => key.startsWith('$'))
}
