import type { SignalRecord } from '@slotstream/protocol'
import { Webhook } from 'standardwebhooks'
import { deliveryIdOf } from './delivery-id.js'
import type { Sender, SendResult } from './send-request.js'
import { webhookBody } from './webhook-body.js'

/** The URL that signals are sent to, and the secret of their signature. */
export interface Target {
  webhookId: string
  url: string
  secret: string
}

/**
 * Sends a signal to a webhook, signed as Standard Webhooks has it: https://www.standardwebhooks.com.
 *
 * @param now time of the attempt, in milliseconds since the epoch: receivers compare it with their clocks
 */
export function deliver(
  sender: Pick<Sender, 'send'>,
  { webhookId, url, secret }: Target,
  siteId: string,
  record: SignalRecord,
  now: number,
  signal: AbortSignal,
): Promise<SendResult> {
  const body = webhookBody(siteId, record)
  const id = deliveryIdOf(webhookId, record.signalId)
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'Slotstream-Webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(now), body),
  }
  return sender.send(url, headers, body, signal)
}
