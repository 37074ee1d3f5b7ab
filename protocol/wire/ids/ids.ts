/**
 * Text in the place of an id that is none: what code writes for a value that it doesn't have, and names for
 * visitors without a name. Equal for people who have nothing in common: under such an id all of them would be one.
 * The browser package has the same list, so that it keeps none of them.
 */
export const NO_ID =
  /^["'\s[]*(undefined|null|none|nan|true|false|object \w*|anonymous|guest|unknown|(user|anonymous)?[_-]?id|[-0.]*)["'\s\]]*$/i

/**
 * Marks of a template that was sent as it stands, since no id was filled in: those of template languages, of tools that
 * send mail, and of places for advertisements.
 */
const TEMPLATE =
  /\{\{[^{}]*\}\}|\{%[^{}]*%\}|[$#%@]\{[^{}]*\}|\{![^{}]*\}|<[%?][^<]*[%?]>|\[[[%][^[\]]*[\]%]\]|\*\|[^|]*\|\*|^\s*(%+[\w.-]+%+|__([A-Z]+_)*(U?U?ID|USER|NAME|EMAIL)__)\s*$/

/** Ids that were looked at last: the messages of a batch mostly name the same. */
let usual: unknown[] = []
const REMEMBERED = 8

/** Tells whether a text or number can be an id as far as its meaning goes. Its length is another question. */
export function isMeaningful(id: string | number): boolean {
  if (usual.includes(id)) return true
  const text = String(id)
  if (NO_ID.test(withoutFrame(text)) || TEMPLATE.test(text)) return false
  usual = [id, ...usual.slice(0, REMEMBERED - 1)]
  return true
}

/** Characters that may be around such a text. */
const FRAME = /["'\s[\]]/

/**
 * Returns the text within its quotes, spaces and brackets: of many of them the pattern alone would take the square of
 * their number.
 */
function withoutFrame(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && FRAME.test(text[from]!)) from++
  while (from < to && FRAME.test(text[to - 1]!)) to--
  return text.slice(from, to)
}
