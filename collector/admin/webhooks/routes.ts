import { BUILT_IN } from '@slotstream/core'
import {
  isId,
  MAX_DELIVERIES_TOLD,
  MAX_WEBHOOKS,
  SEGMENT_SIGNALS,
  SIGNALS,
  type StoredWebhook,
} from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, hasBody, objectOf } from '../admin-request.js'
import type { DefinitionStore } from '../definitions/definition-store.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import type { AskWebhooks } from './ask-webhooks.js'
import { checkWebhook } from './check-webhook.js'
import type { WebhookStore } from './webhook-store.js'

export interface WebhookRouteDeps extends SiteRouteDeps {
  webhookStore: WebhookStore
  definitionStore: Pick<DefinitionStore, 'read'>
  askWebhooks: AskWebhooks
  /** Whether webhooks may be at URLs without TLS and in private networks. */
  allowPrivateWebhooks: boolean
  log: Log
}

/** Adds `/sites/:siteId/webhooks`: where signals are sent to, what became of that, and dead letters once more. */
export function addWebhookRoutes(router: Router, deps: WebhookRouteDeps): void {
  const { siteOf, webhookStore: store, askWebhooks: ask, log } = deps

  router.get('/sites/:siteId/webhooks', async (request: SiteRequest, response) => {
    const webhooks = await store.list(siteOf(request).siteId)
    response.json({ webhooks: webhooks.map(shown) })
  })

  router.post('/sites/:siteId/webhooks', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const names = await signalsOf(siteId)
    const checked = checkWebhook(await objectOf(request), names, deps.allowPrivateWebhooks)
    if (!checked.ok) throw new Failure('malformed', `nothing was stored: ${checked.faults[0]}`, checked.faults)
    if ((await store.list(siteId)).length >= MAX_WEBHOOKS)
      throw new Failure('conflict', `the site has ${MAX_WEBHOOKS} webhooks, which is the most: delete one first`)
    const { webhook, secret } = await store.create(siteId, checked.value)
    log.info({ siteId, webhookId: webhook.webhookId }, 'a webhook was declared')
    response.json({ ...shown(webhook), secret })
  })

  router.delete('/sites/:siteId/webhooks/:webhookId', async (request: WebhookSiteRequest, response) => {
    const { webhookId, siteId } = await webhookOf(request)
    await store.remove(siteId, webhookId)
    log.info({ siteId, webhookId }, 'a webhook was deleted')
    response.json({ deleted: true })
  })

  router.get('/sites/:siteId/webhooks/:webhookId/deliveries', async (request: WebhookSiteRequest, response) => {
    const { siteId, webhookId } = await webhookOf(request)
    const replies = await ask({ siteId, webhookId, do: 'deliveries' })
    const deliveries = replies.flatMap(reply => ('deliveries' in reply ? reply.deliveries : []))
    deliveries.sort((delivery, other) => (delivery.at < other.at ? 1 : -1))
    response.json({ deliveries: deliveries.slice(0, MAX_DELIVERIES_TOLD) })
  })

  router.post('/sites/:siteId/webhooks/:webhookId/replay', async (request: WebhookSiteRequest, response) => {
    const { siteId, webhookId } = await webhookOf(request)
    const { signalId } = hasBody(request) ? fieldsOf(await objectOf(request), ['signalId']) : {}
    if (signalId !== undefined && !isId(signalId))
      throw new Failure('malformed', 'signalId must be the id of a signal: leave it out for all dead letters')
    const replies = await ask({ siteId, webhookId, do: 'replay', ...(signalId !== undefined && { signalId }) })
    const counts = replies.flatMap(reply => ('replayed' in reply ? [reply] : []))
    const sum = (count: (reply: (typeof counts)[number]) => number) =>
      counts.reduce((total, reply) => total + count(reply), 0)
    const replayed = sum(reply => reply.replayed)
    if (signalId !== undefined && replayed === 0)
      throw new Failure(
        'not_found',
        'this signal is neither a dead letter nor among the latest: GET …/deliveries lists them',
      )
    response.json({ replayed, left: sum(reply => reply.left) })
  })

  /** Lists the signals that a site can have, those of built-in patterns that it switched off among them. */
  async function signalsOf(siteId: string): Promise<string[]> {
    const { items } = await deps.definitionStore.read(siteId, 'patterns')
    return [...new Set([...SIGNALS, ...SEGMENT_SIGNALS, ...[...BUILT_IN.patterns, ...items].map(({ name }) => name)])]
  }

  async function webhookOf(request: WebhookSiteRequest): Promise<StoredWebhook> {
    const webhook = await store.read(siteOf(request).siteId, request.params.webhookId)
    if (!webhook) throw new Failure('not_found', 'there is no such webhook: GET …/webhooks of the site lists them')
    return webhook
  }
}

type WebhookSiteRequest = SiteRequest<'webhookId'>

function shown({ webhookId, url, signals, createdAt }: StoredWebhook): object {
  return { id: webhookId, url, signals, createdAt }
}
