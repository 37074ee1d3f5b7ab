/**
 * Elements whose text is code, or isn't read as text by the browser's parser: the HTML Standard's list of those that
 * are serialized without escapes, which is closed, and `template`.
 */
const CLOSED = /^(script|style|template|iframe|xmp|plaintext|no(script|embed|frames))$/

/** Attributes that say something, and neither run nor load nor name anything. */
const WORDS = /^((aria|data)-.+|alt|class|datetime|dir|height|label|lang|max|placeholder|role|title|value|width)$/

/** Attributes that take a URL: of links and of what is shown. Not of forms, which would send away what is typed. */
const URL_ATTRIBUTES = /^((a|area) href|(img|audio|video|source) src|video poster)$/

/** URLs, each after the name of the element that gets it. */
const SAFE_URL = /^(\w+ (https?|mailto|tel):|img data:image\/)/

/** Returns whether a payload may write an element's text and attributes. */
export const isOpen = (element: Element): boolean => !CLOSED.test(element.localName)

/**
 * Sets an attribute from a payload, if it can do no harm: payloads come over the network. False: rejected. The
 * element's own markup is the page author's business.
 */
export function setAttribute(element: Element, name: string, value: string): boolean {
  const attribute = name.toLowerCase()
  const isSafe =
    isOpen(element) &&
    (WORDS.test(attribute) || (URL_ATTRIBUTES.test(`${element.localName} ${attribute}`) && isSafeUrl(element, value)))
  if (isSafe) element.setAttribute(name, value)
  return isSafe
}

/**
 * Returns whether a URL can do no harm, as the browser's own parser reads it: that drops the tabs and line ends that
 * would hide `java\nscript:` from a pattern.
 */
function isSafeUrl({ localName, baseURI }: Element, value: string): boolean {
  try {
    return SAFE_URL.test(`${localName} ${new URL(value, baseURI)}`)
  } catch {
    return false
  }
}
