import { parseJson } from '../../wire/checks/parse-json.js'
import { idOf } from '../../wire/ids/id-of.js'
import type { NamedIds } from './people.js'

const FIELDS = ['anonymousId', 'userId', 'previousId'] as const

/** An id's field in JSON text that was cut, with the text behind it. */
const FIELD = /"(anonymousId|userId|previousId)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)/g

/**
 * Finds the ids in the text of a message that was rejected: they may be of a wrong type, in a list, or in text that was
 * cut and is no JSON any more. Each entry of the result is to be looked at by itself.
 */
export function namedInText(text: string): NamedIds[] {
  const ids = { anonymousId: [] as string[], userId: [] as string[], previousId: [] as string[] }
  const parsed = parseJson(text)
  if (parsed === undefined) {
    for (const [, field, value] of text.matchAll(FIELD)) collect(parseJson(value!), ids[field as keyof typeof ids])
  } else
    for (const message of Array.isArray(parsed) ? parsed : [parsed])
      for (const field of FIELDS) collect((message as Record<string, unknown> | null)?.[field], ids[field])
  return [
    ...ids.userId.map(userId => ({ userId })),
    ...ids.previousId.map(previousId => ({ previousId })),
    ...ids.anonymousId.map(anonymousId => ({ anonymousId, userId: ids.userId[0] })),
  ]
}

/** Collects every text and number of a value, however deep. */
function collect(value: unknown, into: string[]): void {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) pending.push(inner)
    else if ((typeof next === 'string' && next !== '') || typeof next === 'number') into.push(String(idOf(next)))
  }
}
