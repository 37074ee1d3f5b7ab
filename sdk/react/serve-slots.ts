import { run } from '../client/calls.js'
import type { PluginApi } from '../client/plugin-api.js'
import { lazyPlugin } from '../plugins/lazy-plugins.js'

const served = new WeakSet<PluginApi>()

/** Loads what slots need later, once for each client: their last decisions, and previews. */
export function serveSlots(): void {
  run(client => {
    if (served.has(client)) return
    served.add(client)
    const begin = async () => (await lazyPlugin('slotServices'))(client, lazyPlugin)
    begin().catch(client.log)
  })
}
