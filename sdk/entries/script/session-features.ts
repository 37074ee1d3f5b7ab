import { countSession } from '../../features/count-session.js'
import { onSessionFeatures, sessionFeatures as valuesNow } from '../../features/values.js'
import type { Plugin } from '../../plugins/loadable.js'

/** Session features for the script tag: their functions are beside the others once this has loaded. */
export const sessionFeatures: Plugin = client => {
  // Its own property only: an element with that id is found under the name, too.
  if (Object.hasOwn(window, 'slotstream'))
    Object.assign((window as unknown as { slotstream: object }).slotstream, {
      onSessionFeatures,
      sessionFeatures: valuesNow,
    })
  return countSession(client)
}
