import type { Properties } from '../types.js'

/** The content of a call of Segment's library, whichever form the call has. */
export interface CallArguments {
  /** The texts and numbers before the first object: names and ids, of which a number may be rounded already. */
  names: (string | number)[]
  /** The first object. */
  data?: Properties
  /** Called when the message is taken. */
  done?: () => void
}

/** Takes the arguments of a call apart: all but the first may be left out, and a snippet adds what page it was on. */
export function argumentsOf(args: readonly unknown[]): CallArguments {
  const parsed: CallArguments = { names: [] }
  for (const argument of args) {
    if (typeof argument === 'function') parsed.done = argument as () => void
    else if (typeof argument === 'object' && argument !== null) {
      if (!('__t' in argument)) parsed.data ??= argument as Properties
    } else if (!parsed.data && argument !== undefined && argument !== null && argument !== '')
      parsed.names.push(argument as string | number)
  }
  return parsed
}
