import {
  BUCKETS,
  type Check,
  fromKeyToken,
  isCatalogPublishedKey,
  isObject,
  keyOfSubject,
  parseCatalogPublished,
} from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from '../row.js'
import { jsonLine } from '../text/line.js'

/** Kinds of items in the keys of the bucket `catalog`. */
const KINDS: readonly string[] = ['slot', 'content']

/**
 * Rows of `catalog_changes`: one per change of the bucket `catalog`, of a slot or a content, and one of the kind
 * `revision` after those that a revision changed.
 */
export function catalogRows(message: SourceMessage, seq: number): Row[] {
  const key = keyOfSubject(BUCKETS.catalog, message.subject)
  const [siteId = '', kind = '', token = ''] = key.split('.')
  const { deleted } = message
  if (isCatalogPublishedKey(key)) {
    const revision = deleted ? 0 : readMessage(message, parseCatalogPublished).revision
    return [rowOf(message, seq, { siteId, kind: 'revision', id: '', definition: '', revision })]
  }
  if (!KINDS.includes(kind) || token === '') throw new Error('the key names neither a slot nor a content')
  const definition = deleted ? '' : JSON.stringify(readMessage(message, anObject))
  return [rowOf(message, seq, { siteId, kind, id: fromKeyToken(token), definition, revision: 0 })]
}

interface CatalogChange {
  siteId: string
  kind: string
  id: string
  /** The slot or content as JSON; '' where it is deleted. */
  definition: string
  revision: number
}

function rowOf(message: SourceMessage, seq: number, { siteId, kind, id, definition, revision }: CatalogChange): Row {
  const { storedAt, deleted } = message
  return {
    line: jsonLine({
      site_id: siteId,
      kind,
      id,
      definition,
      deleted,
      revision,
      stored_at: storedAt,
      stream_seq: seq,
      batch_index: 0,
    }),
    seq,
    index: 0,
    source: { siteId, partition: 0, receivedAt: storedAt, messageId: null, payload: () => ({ kind, id, definition }) },
  }
}

/**
 * Checks that a value is an object. Deciding processes check what they serve; the table also takes entries of earlier
 * versions.
 */
function anObject(raw: unknown): Check<object> {
  return isObject(raw) ? { ok: true, value: raw } : { ok: false, reason: 'it is not an object' }
}
