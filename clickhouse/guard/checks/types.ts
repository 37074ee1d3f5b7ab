import type { Role } from '../../access/roles.js'
import { isKeyword, isName, isSymbol, type Token, tokenizeCanonical } from '../canonical/canonical-tokens.js'
import { isState } from '../columns.js'
import type { Names } from '../names/names.js'
import { denied } from '../refusal.js'

/**
 * Checks the arguments of a call that the engine reads as more than values: the name of a type, and of an aggregate
 * function. Both must be literals, because what an expression makes of them is known to the engine alone.
 *
 * @param args tokens of each argument
 * @throws ClickHouseException ACCESS_DENIED (497)
 */
export function checkNamedInText(name: string, args: readonly (readonly Token[])[], names: Names, role: Role): void {
  if (role === 'writer') return
  const place = names.typePlaceOf(name)
  if (place !== undefined) checkType(name, literalOf(name, args.at(place), 'type'))
  if (names.namesAggregate(name)) checkAggregate(name, literalOf(name, args[0], 'aggregate function'), names, role)
}

/** Checks a type's tokens: states of functions are for the engine alone to write. Throws as above. */
export function refuseStates(tokens: readonly Token[]): void {
  if (tokens.some(isState)) throw refusedState()
}

/** Returns the error for a type whose values are states of functions. */
export function refusedState(): Error {
  return denied("bytes aren't read as the state of a function: make states by functions such as sumState()")
}

function checkType(name: string, text: string): void {
  const tokens = tokensOf(text)
  if (!tokens) throw denied(`${name}() gets a type that isn't understood: write it as system.columns shows types`)
  refuseStates(tokens)
}

/** `quantileIf(0.5)`: an aggregate function that the role may call, with parameters or without. */
function checkAggregate(name: string, text: string, names: Names, role: Role): void {
  const [first] = tokensOf(text) ?? []
  if (!isName(first)) throw denied(`${name}() gets an aggregate function that isn't understood: write its name`)
  if (!names.mayCall(first.text, role)) throw denied(`${first.text}() isn't among the functions for this user`)
}

/** Returns the text of an argument that is one literal, with a name or without. */
function literalOf(name: string, argument: readonly Token[] | undefined, what: string): string {
  const [text, as, alias, ...more] = argument ?? []
  const isPlain = as === undefined || (isKeyword(as, 'AS') && isName(alias) && more.length === 0)
  if (text?.kind === 'string' && isPlain) return text.text
  throw denied(`${name}() takes the name of its ${what} as a text in quotes, not as an expression or a parameter`)
}

function tokensOf(text: string): Token[] | undefined {
  try {
    const tokens = tokenizeCanonical(text.replace(/\s/g, ' ').trim())
    return tokens.some(token => isSymbol(token, '{')) ? undefined : tokens
  } catch {
    return undefined
  }
}
