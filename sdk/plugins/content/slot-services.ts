import type { PluginApi } from '../../client/plugin-api.js'
import { offlineSlots } from '../../slots/later/offline-slots.js'
import { previewToken } from '../../slots/later/preview-token.js'
import type { undoCopy } from '../../slots/render/undo-copy.js'
import type { preview } from '../tools/preview.js'

/** Loads the preview, for tabs that are one, and what undoes copies of slots. */
export type LoadForServices = {
  (name: 'preview'): typeof preview | Promise<typeof preview>
  (name: 'undoCopy'): typeof undoCopy | Promise<typeof undoCopy>
}

const begun = new WeakSet<PluginApi>()

/**
 * Begins what no first request for slots waits for, once for each client: their last decisions, and the preview that
 * this tab was opened for. Loaded when the first slot has its content.
 */
export function slotServices(client: PluginApi, load: LoadForServices): void {
  const { settings, listeners, log, find } = client
  if (begun.has(client) || listeners.signal.aborted) return
  begun.add(client)
  const originals = new WeakSet<Element>()
  let isFirst = true
  const copies: HTMLElement[] = []
  // In one task, so that they are asked for in one request.
  const undo = async () => {
    const undoCopy = await load('undoCopy')
    for (const copy of copies.splice(0)) undoCopy(copy)
  }
  // Slots get the mark while they are asked for. One that comes with it, and with what was decided, is a copy.
  find('data-slot-own', element => {
    if (isFirst || element.ariaBusy) originals.add(element)
    else if (!originals.has(element) && copies.push(element) === 1) undo().catch(log)
  })
  isFirst = false
  const token = previewToken()
  // A preview shows what its link says, or nothing.
  if (!token && settings.offlineSlots !== false) offlineSlots(client)
  if (token)
    Promise.resolve(load('preview'))
      .then(preview => listeners.signal.aborted || preview(client, token))
      .catch(log)
}
