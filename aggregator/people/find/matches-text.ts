import { allIdsOf, type Person } from '@slotstream/protocol'

/** Ids up to which looking for each in the text costs less than reading it. */
const FEW = 20

/** Texts that stand for an id in JSON as nearly every client writes it. */
export function textsOf(person: Person): string[] {
  return [...new Set(allIdsOf(person).flatMap(id => [id, JSON.stringify(id).slice(1, -1)]))]
}

/**
 * Ids that are numbers, in spellings other than the usual one: `1e3`, `1000.0`, more digits than are kept, or inside
 * something else. Written so that JavaScript and ClickHouse read it alike.
 */
export const ODD_NUMBERS =
  '"(anonymousId|userId|previousId)"[ \\t\\r\\n]*:[ \\t\\r\\n]*(-0|-?[0-9]+[.eE]|-?[0-9]{16}|[\\[{])'

/** Returns whether an id of the person may have been sent as a number: only such have several spellings. */
export function hasNumbers(person: Person): boolean {
  return allIdsOf(person).some(id => String(Number(id)) === id)
}

/**
 * Makes the function that tells whether JSON text may name a person. It is quick, and never wrongly says no: characters
 * may be written as escapes and numbers in many ways, so text with any such is looked into.
 */
export function mayName(person: Person): (text: string) => boolean {
  const texts = textsOf(person)
  if (texts.length > FEW) return () => true
  const odd = hasNumbers(person) ? new RegExp(ODD_NUMBERS) : undefined
  return text =>
    texts.some(id => text.includes(id)) || text.includes('\\u') || text.includes('\\/') || odd?.test(text) === true
}

/**
 * Tells whether text that is no JSON holds an id of the person as a word of its own: short ids are part of many words.
 */
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
