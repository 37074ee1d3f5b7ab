import type { Msg } from '@nats-io/transport-node'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../http/failure.js'
import { askOwner, type OwnerRequest } from './ask-owner.js'

/**
 * Returns the answer of a partition's owner, for requests that are nothing without it.
 *
 * @throws Failure `unavailable` that says what is missing
 */
export async function answerOf(
  nats: Pick<Nats, 'connection' | 'connected'>,
  partition: number,
  request: OwnerRequest,
): Promise<Msg> {
  const answer = await askOwner(nats, request)
  if (answer === 'timeout')
    throw new Failure('unavailable', `the aggregator of partition ${partition} did not answer in time: ask again`)
  if (answer === 'unavailable')
    throw new Failure(
      'unavailable',
      `no aggregator with the role ${request.role ?? 'profiles'} has partition ${partition}: start one, or ask again in a moment`,
    )
  return answer
}
