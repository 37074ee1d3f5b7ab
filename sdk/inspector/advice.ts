/** Meanings of reasons and what to do about them: of drops, retries, and slots that were not served. */
const ADVICE: Record<string, string> = {
  http_400: 'the collector cannot read the request: are SDK and collector of the same version?',
  http_401: 'the collector does not know this write key: check `writeKey`',
  http_403: "this page's origin is not allowed: add it to the site's `allowedOrigins`",
  http_404: 'no collector answers there: check `endpoint`',
  http_413: 'the message is larger than the collector takes',
  http_422: 'the collector cannot use the request: are SDK and collector of the same version?',
  http_429: 'the collector asks for a pause; nothing is lost',
  http_503: 'the collector cannot store at the moment; nothing is lost',
  network: "no answer: check `endpoint`, the page's Content Security Policy and ad blockers; nothing is lost",
  not_settled: 'the code that splits a batch cannot be loaded; nothing is lost',
  answer_not_understood: 'what answers is not a collector: check `endpoint`; nothing is lost',
  refused:
    'payloads write text and attributes that neither run nor load anything: see the list in the docs, or render it yourself',
  missing: 'the payload has no such key: the template keeps its own',
  'not filled': "the page's own content stays: see `Templates` in the docs",
  flood: 'more messages than `floodLimit` allows',
  middleware: 'a middleware returned null',
  not_serializable: 'the properties cannot be written as JSON',
  too_large: 'the message is larger than 32 KB',
  queue_full: 'more messages wait than `maxQueueMessages` allows',
  expired: 'the message is older than `maxQueueAge`',
  timeout: 'no answer before the deadline: see `slotTimeout`',
  unavailable: 'no answer from the collector, or no consent to `personalization`',
  stale: 'what is known of the visitor is older than the `maxAge` of the slot',
  holdout: "the visitor belongs to the slot's holdout, who keep the page's own content",
  empty: 'the slot has no content that is eligible now',
  unknown_slot: 'the site has no slot of this id: add it to the catalog',
}

/** Returns advice on a reason; '' where there is none. */
export const adviceOn = (reason: string): string => (Object.hasOwn(ADVICE, reason) ? (ADVICE[reason] ?? '') : '')
