/** Names that say nothing of the thing that they name, see docs/style.md. */
const NAMES = 'of|own|known|found|made|both|one|taken|given|kept|held|asked|said|told|wanted'

const DECLARED = new RegExp(`\\b(?:const|let) (?:${NAMES})\\b|\\bfunction (?:${NAMES})[(<]`)
const SINGLE_PARAMETER = new RegExp(`(?<!\\.)\\b(?:${NAMES}) =>`)
/** A parameter on a line of its own: fields of interfaces end without a comma, and values rarely look like types. */
const PARAMETER = new RegExp(
  `^\\s*(?:\\.\\.\\.)?(?:${NAMES})\\??: (?:readonly )?(?:string|number|boolean|unknown|[A-Z]\\w*[a-z])[^('"\`]*,$`,
)
const DESTRUCTURED = /\b(?:const|let) (\{[^{}]*\}|\[[^[\]]*\])/g
const PARAMETERS = /\(([^()]*)\)(?:: [^=()]+)? =>|\bfunction\*? \w+(?:<[^>]*>)?\(([^)]*)/g
const BOUND = new RegExp(`(?:^|[\\s,[(])(?:\\.\\.\\.)?(?:${NAMES})\\??\\s*(?=[,:=\\])]|$)`)

/** Tells whether a line of code declares a variable, parameter or function whose name says nothing. */
export function isNameless(line: string): boolean {
  if (/^\s*(?:\/\/|\/?\*)/.test(line)) return false
  if (DECLARED.test(line) || SINGLE_PARAMETER.test(line) || PARAMETER.test(line)) return true
  const lists = [
    ...[...line.matchAll(DESTRUCTURED)].map(([, pattern]) => pattern!),
    ...[...line.matchAll(PARAMETERS)].map(([, arrow, declared]) => arrow ?? declared ?? ''),
  ]
  return lists.some(list => BOUND.test(namesOf(list)))
}

/** Returns a list of bindings with the new names only, where it renames fields: `{ of: states }` is `[states]`. */
function namesOf(list: string): string {
  const flat = list.replace(/\{([^{}]*)\}/g, (_all, fields: string) => {
    const names = fields.split(',').map(field => field.split('=')[0]!.split(':').at(-1)!.trim())
    return `[${names.join(', ')}]`
  })
  // The innermost first.
  return flat === list ? list : namesOf(flat)
}
