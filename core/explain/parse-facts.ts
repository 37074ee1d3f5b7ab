import { isObject, parseJson, type RecordedFacts } from '@slotstream/protocol'

/** Entries of a list that are read, at most. */
const MOST = 100

/** Reads the text of what a record says of person and request. Undefined: it is none, as in imported logs. */
export function parseFacts(text: string): RecordedFacts | undefined {
  const raw = parseJson(text)
  if (!isObject(raw)) return undefined
  const { tokens, segments, items, personId, isHeldOutOfSite } = raw
  const facts: RecordedFacts = {
    ...(isList(tokens, Number.isInteger) && { tokens: tokens as number[] }),
    ...(isList(segments, isText) && { segments: segments as string[] }),
    ...(isList(items, isText) && { items: items as string[] }),
    ...(typeof personId === 'string' && { personId }),
    ...(isHeldOutOfSite === true && { isHeldOutOfSite }),
  }
  return Object.keys(facts).length > 0 ? facts : undefined
}

function isList(raw: unknown, isEntry: (entry: unknown) => boolean): raw is unknown[] {
  return Array.isArray(raw) && raw.length <= MOST && raw.every(isEntry)
}

function isText(raw: unknown): boolean {
  return typeof raw === 'string'
}
