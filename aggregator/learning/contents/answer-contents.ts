import type { Msg } from '@nats-io/transport-node'
import { contentValues, type Features } from '@slotstream/core'
import {
  type Check,
  type ContentFeaturesReply,
  type ContentFeaturesRequest,
  contentSubject,
  isId,
  isObject,
  isSiteId,
  parseStored,
} from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { answerPartitions, type PartitionAnswers, respondWithError } from '../../ownership/answer-partitions.js'
import type { Contents } from './content-set.js'

/** Dependencies of answers about features of content. */
export interface ContentAnswersDeps {
  nats: Pick<Nats, 'connection'>
  contents: Contents
  /** Returns the definitions of a site. */
  definitionsOf: (siteId: string) => { features: Features }
  /** Tells whether this process answers for a partition. */
  serves: (partition: number) => boolean
  log: Log
}

/** Answers each `ContentFeaturesRequest`. Every process has all content; the owner of the partition answers. */
export function answerContents({ nats, contents, definitionsOf, serves, log }: ContentAnswersDeps): PartitionAnswers {
  const kind = 'requests for features of content'
  return answerPartitions({ nats, subjectOf: contentSubject, answer, kind, log })

  async function answer(message: Msg, partition: number): Promise<void> {
    if (!serves(partition)) return
    const request = parseStored(message.data, parseRequest)
    if (!request.ok) return respondWithError(message, 400, request.reason, { features: {} })
    const { siteId, contentId } = request.value
    message.respond(JSON.stringify({ features: featuresOf(siteId, contentId) } satisfies ContentFeaturesReply))
  }

  function featuresOf(siteId: string, contentId: string): ContentFeaturesReply['features'] {
    const { features } = definitionsOf(siteId)
    const rows = contents.contentOf(siteId, contentId)?.rows ?? new Map()
    const values = contentValues(rows, features, Date.now())
    const versionOf = (name: string) => features.ofContent.byName.get(name)?.version
    return Object.fromEntries(
      [...values].map(([name, value]) => {
        const version = versionOf(name)
        const isFilling = features.filling.has(name)
        return [name, { ...value, ...(version !== undefined && { version }), ...(isFilling && { filling: true }) }]
      }),
    )
  }
}

function parseRequest(raw: unknown): Check<ContentFeaturesRequest> {
  if (!isObject(raw)) return { ok: false, reason: 'the request is not a JSON object' }
  const { siteId, contentId } = raw
  if (!isSiteId(siteId)) return { ok: false, reason: 'siteId is not a site’s id' }
  if (!isId(contentId)) return { ok: false, reason: 'contentId is not text of 1 to 256 characters' }
  return { ok: true, value: { siteId, contentId } }
}
