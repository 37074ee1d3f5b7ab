import type { PluginApi } from '../../client/plugin-api.js'
import { offlineSlots } from '../../slots/later/offline-slots.js'
import { previewToken } from '../../slots/later/preview-token.js'
import type { preview } from '../tools/preview.js'

/** Loads the preview, for tabs that are one. */
export type LoadPreview = (name: 'preview') => typeof preview | Promise<typeof preview>

const begun = new WeakSet<PluginApi>()

/**
 * Begins what no first request for slots waits for, once for each client: their last decisions, and the preview that
 * this tab was opened for. Loaded when the first slot has its content.
 */
export function slotServices(client: PluginApi, load: LoadPreview): void {
  const { settings, listeners, log } = client
  if (begun.has(client) || listeners.signal.aborted) return
  begun.add(client)
  const token = previewToken()
  // A preview shows what its link says, or nothing.
  if (!token && settings.offlineSlots !== false) offlineSlots(client)
  if (token)
    Promise.resolve(load('preview'))
      .then(preview => listeners.signal.aborted || preview(client, token))
      .catch(log)
}
