/**
 * Reads the write key from where Segment's snippet finds its library, `/analytics.js/v1/KEY/analytics.min.js`, for the
 * script that is running. The snippet sends its page views itself.
 */
const { currentScript } = document
const [, key] = (currentScript instanceof HTMLScriptElement && /\/v1\/([^/?#]+)\/[^/]*$/.exec(currentScript.src)) || []
if (key && currentScript instanceof HTMLScriptElement) {
  const { dataset } = currentScript
  dataset.writeKey ??= decodeURIComponent(key)
  dataset.autoPage ??= 'false'
}
