/** Attributes that hold an address, which could hold a script. */
const ADDRESSES = /^((xlink:)?href|src|(form)?action|poster|cite|data|background|ping)$/

/** Attributes that hold code or a page, or, in SVG, the values that an animation gives another attribute. */
const REFUSED = /^(on.*|style|srcdoc|srcset|to|from|by|values|attributename)$/

/** Elements that run or load what an attribute names. */
const SCRIPTING = /^(script|iframe|object|embed|base|link|style)$/i

const SAFE_PROTOCOLS = /^(https?|mailto):$/

/**
 * Sets an attribute from a payload, unless it could run code or load a page: payloads come over the network. False:
 * refused. The element's own markup is the page author's business.
 */
export function setAttribute(element: Element, name: string, value: string): boolean {
  const attribute = name.toLowerCase()
  if (REFUSED.test(attribute) || SCRIPTING.test(element.localName)) return false
  if (ADDRESSES.test(attribute) && !isSafeAddress(value, element.baseURI)) return false
  element.setAttribute(name, value)
  return true
}

/** Read by the browser's own parser, which drops the tabs and line ends that would hide `java\nscript:` from a pattern. */
function isSafeAddress(value: string, base: string): boolean {
  try {
    return SAFE_PROTOCOLS.test(new URL(value, base).protocol)
  } catch {
    return false
  }
}
