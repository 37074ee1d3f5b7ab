import { ofDocument } from '../capture/of-document.js'

/**
 * Reads the write key from where Segment's snippet finds its library, `/analytics.js/v1/KEY/analytics.min.js`, for the
 * script that is running. The snippet sends its page views itself.
 */
const script = ofDocument('currentScript') as HTMLScriptElement | null
const [, key] = /\/v1\/([^/?#]+)\/[^/]*$/.exec(script?.src ?? '') ?? []
if (key && script) {
  const { dataset } = script
  dataset.writeKey ??= decodeURIComponent(key)
  dataset.autoPage ??= 'false'
}
