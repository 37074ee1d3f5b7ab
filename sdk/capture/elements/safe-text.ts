/** Long enough for a label, too short for a letter. */
const MAX_CHARACTERS = 100

/** Elements whose text a visitor may have typed. */
const TYPED = 'input,textarea,select,[contenteditable]:not([contenteditable="false"])'

/** E-mail addresses, and digits by the half dozen: numbers of cards, accounts, phones, people. */
const PERSONAL = /\S+@\S+\.\S+|\d(?:[ .\-/]?\d){5,}/g

/**
 * Returns the text of a label, for reports: one line, cut off, with e-mail addresses and long numbers blotted out.
 * Empty for whatever can be typed into.
 */
export function safeText(element: Element): string {
  if (element.closest(TYPED) || element.querySelector(TYPED)) return ''
  // An area of an image has no other text.
  const text = (element.textContent || element.getAttribute('alt') || '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(PERSONAL, '***')
  return text.slice(0, MAX_CHARACTERS)
}
