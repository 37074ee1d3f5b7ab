import type { SlotDecision } from '../types.js'

/** Id of the element that carries decisions in a page. */
export const SCRIPT_ID = 'slotstream-decisions'

/**
 * Characters that could end or change what they are in: `<` begins `</script>` and `<!--` (HTML Standard, restrictions
 * for contents of script elements); the others matter where the text is put into an attribute or into JavaScript.
 */
const UNSAFE = /[<>&\u2028\u2029]/g

/**
 * Returns a script element of data with decisions, for the page's HTML. What is in them is data whatever a payload
 * says: nothing in it ends the element, and browsers do not run it, so that a Content Security Policy needs no
 * exception. Decisions that were not made are left out: the page asks for those slots itself.
 */
export function decisionsScript(decisions: readonly SlotDecision[]): string {
  const decided = decisions.filter(({ decisionId }) => decisionId)
  const text = JSON.stringify(decided).replace(UNSAFE, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `<script type="application/json" id="${SCRIPT_ID}">${text}</script>`
}
