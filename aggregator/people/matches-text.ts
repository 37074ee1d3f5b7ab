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

/** Tells whether text that is no JSON holds an id of the person as a word of its own: short ids are part of many words. */
export function holdsId(person: Person, text: string): boolean {
  return textsOf(person).some(id => {
    for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1))
      if (!isPartOfWord(text[at - 1]) && !isPartOfWord(text[at + id.length])) return true
    return false
  })
}

function isPartOfWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_-]/u.test(character)
}
