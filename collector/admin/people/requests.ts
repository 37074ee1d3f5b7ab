import { type IdKind, MAX_NAME_LENGTH } from '@slotstream/protocol'
import type { Request } from 'express'
import { Failure } from '../../http/failure.js'

/** The person that a request of the admin API is about. */
export interface PersonRequest {
  id: string
  /** The kind of the id; undefined: whatever has it, of either kind. */
  as?: IdKind
}

/** Reads the person of a request. @throws Failure `malformed` */
export function personOf(request: Pick<Request, 'params' | 'query'>): PersonRequest {
  const { id } = request.params
  const { as, ...unknown } = request.query
  if (typeof id !== 'string' || id === '' || id.length > MAX_NAME_LENGTH || id.includes('\0'))
    throw new Failure('malformed', `the id must have 1 to ${MAX_NAME_LENGTH} characters, and none that is NUL`)
  // A parameter that is not understood could have meant less than everything.
  const [name] = Object.keys(unknown)
  if (name !== undefined)
    throw new Failure('malformed', `there is no parameter "${name}": give as=userId, as=anonymousId or none`)
  if (as === undefined) return { id }
  if (as !== 'userId' && as !== 'anonymousId')
    throw new Failure('malformed', 'the parameter "as" must be userId or anonymousId: leave it out for both')
  return { id, as }
}
