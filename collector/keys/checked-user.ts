import type { KeyKind, Site, SlotsRequest } from '@slotstream/protocol'
import { Failure } from '../http/failure.js'
import { NEEDS_SECRET_KEY } from './senders.js'
import { isSigned } from './signatures.js'

type User = Pick<SlotsRequest, 'anonymousId' | 'userId'>

/**
 * Returns for whom a request for slots is answered: the ids that it names, without a `userId` that its sender doesn't
 * prove to be, where the site asks for that.
 *
 * @throws Failure `secret_key_required` when no visitor is left to answer for, or the site wants a secret key for it
 */
export function checkedUser(
  { anonymousId, userId, signature }: User & Pick<SlotsRequest, 'signature'>,
  { secretKeyHashes = [], identitySecret }: Pick<Site, 'secretKeyHashes' | 'identitySecret'>,
  key: KeyKind,
): User {
  const named: User = userId ? { anonymousId, userId } : { anonymousId }
  if (key === 'secret' || !userId) return named
  if (!anonymousId && secretKeyHashes.length > 0) throw needsSecretKey(NEEDS_SECRET_KEY.reason)
  if (identitySecret === undefined || isSigned(identitySecret, userId, signature)) return named
  if (!anonymousId) throw needsSecretKey('this userId is not signed: ask with a signature, or with a secret key')
  return { anonymousId }
}

function needsSecretKey(reason: string): Failure {
  return new Failure('secret_key_required', reason)
}
