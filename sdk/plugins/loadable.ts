import type { PluginApi } from '../client/plugin-api.js'
import type { DeliveryModules } from '../delivery/delivery.js'
import type { firstSlot } from '../slots/first-slot.js'
import type { setHtml } from '../slots/render/raw-html.js'
import type { undoCopy } from '../slots/render/undo-copy.js'
import type { linkedId } from './capture/linked-id.js'
import type { followRoutes } from './capture/routes.js'
import type { createFiller } from './content/filler.js'
import type { slotServices } from './content/slot-services.js'
import type { PluginName } from './names.js'
import type { preview } from './tools/preview.js'

/**
 * A plugin of this package, which knows the API it works with, and can load more. Returns a function that stops it.
 */
export type Plugin = (api: PluginApi, load: Load) => () => void

/** Everything that can be loaded: plugins, and modules that plugins and delivery load when they need them. */
export type Loadable = Record<PluginName, Plugin> &
  DeliveryModules & {
    filler: typeof createFiller
    firstSlot: typeof firstSlot
    linkedId: typeof linkedId
    preview: typeof preview
    rawHtml: typeof setHtml
    routes: typeof followRoutes
    slotServices: typeof slotServices
    undoCopy: typeof undoCopy
  }

/** Names of everything that no page needs in its first task. */
export type LaterName = Exclude<keyof Loadable, 'autoPage' | 'autoSlots'>

/** Finds a plugin or module: at once where it is in the same file, else when it has loaded. */
export type Load = <Name extends keyof Loadable>(name: Name) => Loadable[Name] | Promise<Loadable[Name]>
