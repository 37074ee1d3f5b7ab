import { type WebhookReply, type WebhookRequest, webhookSubject } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { answerOf } from '../../owners/answer-of.js'

/** How long the owners may take, in milliseconds: a replay reads each dead letter. */
const TIMEOUT_MS = 20_000

/**
 * Asks the owners of all partitions about a webhook.
 *
 * @throws Failure `unavailable` when one cannot answer
 */
export type AskWebhooks = (request: WebhookRequest) => Promise<WebhookReply[]>

/** Creates the function. */
export function createAskWebhooks(nats: Pick<Nats, 'connection' | 'connected'>, partitions: number): AskWebhooks {
  return request =>
    Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const body = () => JSON.stringify(request)
        const roleRequest = { subject: webhookSubject(partition), timeoutMs: TIMEOUT_MS, body, role: 'webhooks' }
        return (await answerOf(nats, partition, roleRequest)).json<WebhookReply>()
      }),
    )
}
