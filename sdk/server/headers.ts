/** Headers of a request: a `Headers`, or the object that Node's `request.headers` is. */
export type RequestHeaders =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>

/** Returns a header; undefined where the request has none. @param name in lower case */
export function headerOf(headers: RequestHeaders | undefined, name: string): string | undefined {
  if (!headers) return undefined
  const value =
    typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, string | string[]>)[name]
  return typeof value === 'string' ? value : undefined
}

/** Signals by which a browser objects, as it sends them; see `privacySignals` of a site. */
const SIGNALS = { gpc: 'sec-gpc', dnt: 'dnt' } as const

/** Returns the privacy signals of a request, to be sent on: the collector is to see what the browser said. */
export function signalsOf(headers: RequestHeaders | undefined): Record<string, string> {
  const names = Object.values(SIGNALS).filter(name => headerOf(headers, name) === '1')
  return Object.fromEntries(names.map(name => [name, '1']))
}

/** Returns whether a request carries a signal that the site takes for a refusal. */
export function isRefused(headers: RequestHeaders | undefined, honoured: { gpc?: boolean; dnt?: boolean }): boolean {
  const signals = signalsOf(headers)
  return (honoured.gpc === true && SIGNALS.gpc in signals) || (honoured.dnt === true && SIGNALS.dnt in signals)
}

/**
 * Returns whether a page is fetched ahead, and may never be seen: by browsers (`Sec-Purpose`, and what they sent before
 * it), and by the router of Next.js.
 */
export function isFetchedAhead(headers: RequestHeaders | undefined): boolean {
  const purposes = ['sec-purpose', 'purpose', 'x-moz'].map(name => headerOf(headers, name))
  return purposes.some(purpose => purpose?.includes('prefetch')) || headerOf(headers, 'next-router-prefetch') === '1'
}
