import type { PluginApi } from '../../client/plugin-api.js'
import { button, el } from '../../inspector/elements.js'

import { endPreview } from '../../slots/later/preview-token.js'
import { refresh } from '../../slots/later/refresh.js'
import { personalizerOf } from '../../slots/personalizer-of.js'
import type { SlotDecision } from '../../types.js'

const NAME = 'slotstream-preview'

const STYLES = `
:host { all: initial; position: fixed; z-index: 2147483646; left: 12px; bottom: 12px; }
p { margin: 0; padding: 6px 6px 6px 12px; border-radius: 8px; background: #1b1f24; color: #fff; font: 13px/1.6 system-ui, sans-serif; }
button { margin-left: 8px; font: inherit; }
`

/**
 * Shows slots as a preview link says: requests carry its token, and what was shown before is asked for anew. Nothing of
 * a preview is tracked. A badge says that the page is one, and ends it.
 */
export function preview(client: PluginApi, token: string): void {
  const { visitorIds, listeners, delivery, personalizer: originalPersonalizer } = client
  client.personalizer = personalizerOf({
    ...client,
    personalizer: undefined,
    visitorIds: { ...visitorIds, all: () => ({ ...visitorIds.all(), preview: token }) },
    track() {},
  })
  const text = el('span', {}, 'Preview')
  const host = document.createElement(NAME)
  const root = host.attachShadow({ mode: 'open' })
  const end = () => {
    endPreview()
    location.reload()
  }
  root.append(el('p', { role: 'status' }, text, button('End', { 'aria-label': 'End the preview' }, end)))
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLES)
    root.adoptedStyleSheets = [sheet]
  } catch {
    // Legible without it.
  }
  /** A link that is none, or no longer, must not keep a page from its slots: any page can make one. */
  const endIfRefused = async () => {
    const { endpoint, writeKey } = delivery.settings
    const body = JSON.stringify({ ...visitorIds.all(), preview: token, slots: [{ id: '-' }] })
    const url = `${endpoint}/v1/slots?writeKey=${encodeURIComponent(writeKey)}`
    const { status } = await fetch(url, { method: 'POST', body, credentials: delivery.credentials })
    if (status !== 403 || listeners.signal.aborted) return
    endPreview()
    client.personalizer = originalPersonalizer
    text.textContent = 'The preview link has expired'
    refresh()
  }
  let isChecked = false
  listeners.on(window, 'slotstream:decision', event => {
    const { outcome } = (event as CustomEvent<SlotDecision>).detail
    if (outcome !== 'unavailable' || isChecked) return
    isChecked = true
    text.textContent = 'Preview: no answer'
    endIfRefused().catch(client.log)
  })
  listeners.signal.addEventListener('abort', () => host.remove())
  document.querySelector(NAME)?.remove()
  document.documentElement.append(host)
  refresh()
}
