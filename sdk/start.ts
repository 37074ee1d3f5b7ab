import { type Client, createClient } from './client.js'
import { type Options, settle } from './options.js'
import { engagement } from './parts/engagement.js'
import { pageViews } from './parts/page-views.js'
import { slots } from './parts/slots.js'
import { webVitals } from './parts/web-vitals.js'
import { guard } from './platform/guard.js'

/** Starts the package on this page with the parts its options name. */
export function start(options: Options): Client {
  const settings = settle(options, location.origin)
  const client = createClient(settings)
  const parts = [
    settings.autoPage && pageViews,
    settings.engagement && engagement,
    settings.webVitals && webVitals,
    settings.autoSlots && slots,
  ]
  let stops: ((() => void) | undefined)[] = []
  const begin = () => {
    stops = parts.map(part => (part ? guard(client.log, () => part(client)) : undefined))
    client.watchEnd()
  }
  // A page that is rendered ahead may never be seen.
  if ((document as Document & { prerendering?: boolean }).prerendering)
    client.listeners.on(document, 'prerenderingchange', begin, { once: true })
  else begin()
  return {
    ...client,
    destroy() {
      for (const stop of stops) stop && guard(client.log, stop)
      client.destroy()
    },
  }
}
