import { allIdsOf, type Person } from '@slotstream/protocol'

/** Ids up to which looking for each in the text costs less than reading it. */
const FEW = 20

/** Texts that stand for an id in JSON as nearly every client writes it. */
export function textsOf(person: Person): string[] {
  return [...new Set(allIdsOf(person).flatMap(id => [id, JSON.stringify(id).slice(1, -1)]))]
}

/**
 * Makes the function that tells whether JSON text may name a person. It is quick, and never wrongly says no: characters
 * may be written as escapes, so text with any is looked into.
 */
export function mayName(person: Person): (text: string) => boolean {
  const texts = textsOf(person)
  if (texts.length > FEW) return () => true
  return text => texts.some(id => text.includes(id)) || text.includes('\\u') || text.includes('\\/')
}
