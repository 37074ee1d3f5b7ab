import type { PluginApi } from '../client/plugin-api.js'
import type { DeliveryModules } from '../delivery/delivery.js'
import type { firstSlot } from '../slots/first-slot.js'
import type { renderItem } from '../slots/render.js'
import type { linkedId } from './capture/linked-id.js'
import type { renderHtml } from './content/render-html.js'
import type { PluginName } from './names.js'

/**
 * A plugin of this package, which knows the API it works with, and can load more. Returns a function that stops it.
 *
 * @param since when it was wanted, in milliseconds since the epoch; it may have had to load
 */
export type Plugin = (api: PluginApi, load: Load, since?: number) => () => void

/** Everything that can be loaded: plugins, and modules that plugins and delivery load when they need them. */
export type Loadable = Record<PluginName, Plugin> &
  DeliveryModules & {
    firstSlot: typeof firstSlot
    linkedId: typeof linkedId
    renderHtml: typeof renderHtml
    renderItem: typeof renderItem
  }

/** Names of everything that no page needs in its first task. */
export type LaterName = Exclude<keyof Loadable, 'autoPage' | 'autoSlots'>

/** Finds a plugin or module: at once where it is in the same file, else when it has loaded. */
export type Load = <Name extends keyof Loadable>(name: Name) => Loadable[Name] | Promise<Loadable[Name]>
