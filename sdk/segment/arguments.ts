import type { Properties } from '../types.js'

/** The content of a call of Segment's library, whichever form the call has. */
export interface Said {
  /** The texts and numbers before the first object: names and ids. */
  names: string[]
  /** The first object. */
  data?: Properties
  /** Called when the message is taken. */
  done?: () => void
}

/** Takes the arguments of a call apart: all but the first may be left out, and a snippet adds what page it was on. */
export function argumentsOf(given: readonly unknown[]): Said {
  const said: Said = { names: [] }
  for (const one of given) {
    if (typeof one === 'function') said.done = one as () => void
    else if (typeof one === 'object' && one !== null) {
      if (!('__t' in one)) said.data ??= one as Properties
    } else if (!said.data && one !== undefined && one !== null && one !== '') said.names.push(String(one))
  }
  return said
}
