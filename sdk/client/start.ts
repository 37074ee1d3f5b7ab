import { emit } from '../platform/emit.js'
import { nextTask } from '../platform/next-task.js'
import { createStorage } from '../platform/storage.js'
import type { Load, Plugin } from '../plugins/loadable.js'
import { PLUGIN_NAMES, type PluginName } from '../plugins/names.js'
import { afterSlots } from '../slots/after-slots.js'
import { hasSlot } from '../slots/has-slot.js'
import { type Client, createClient } from './client.js'
import { type Consent, initialConsent } from './consent.js'
import { type Options, settle } from './options.js'

/** The package at work on a page. */
export interface Running {
  /** Returns the client that calls go to; another one after consent was withdrawn or given again. */
  client(): Client
  /** Returns the consent that is in effect. */
  consent(): Consent
  /** Applies a choice, and remembers it by the text that `remember` made. */
  choose(next: Consent, text: string): void
  destroy(): void
}

/**
 * Names of what a page without slots has no use for, and of what a page with slots begins when these are filled, so
 * that they get the processor. As texts, which are smaller than lists.
 */
export const SLOT_PLUGINS = 'filler autoSlots impressions'
export const PATIENT = 'sending engagement webVitals'

/** Key under which the choice is kept, apart from what it may forbid to keep. */
const CHOICE = 'consent'

/**
 * Starts the package on this page with the plugins its options name. Longer than 70 lines: its functions share the
 * consent and the client, which a choice of the visitor replaces.
 *
 * @param linked id of the visitor that a link has carried
 */
export function start(options: Options, load: Load, linked?: string): Running {
  const settings = settle(options, location.origin)
  const choices = createStorage(() => localStorage, 'slotstream-')
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean }
  let consent = initialConsent(
    settings.consent,
    choices.get(CHOICE),
    (settings.gpc && globalPrivacyControl === true) || (settings.dnt && doNotTrack === '1'),
  )
  let client: Client
  let started: Set<unknown>
  let stops: (() => void)[]

  const allowed = (name: PluginName) =>
    name === 'autoSlots' ? consent.personalization === 'granted' : consent.analytics !== 'denied'

  const startPlugins = () => {
    const api = client
    const begin = (plugin: Plugin) => {
      // Ended while the plugin was loading.
      if (api.listeners.signal.aborted) return
      api.try(() => stops.push(plugin(api, load)))
    }
    const beginLater = async (name: PluginName) => {
      const needsSlot = SLOT_PLUGINS.includes(name)
      const isWanted = needsSlot && hasSlot()
      // To begin a download costs the page milliseconds while it starts. A slot is worth them.
      // What measures the page comes after them; what captures early clicks and errors must not wait so long.
      if (!isWanted) await (PATIENT.includes(name) ? afterSlots(settings) : nextTask())
      if (needsSlot && !isWanted) await (await load('firstSlot'))(api.listeners)
      const plugin = load(name)
      // What is in the first file begins in this task: slots are asked for.
      begin(plugin instanceof Promise ? await plugin : plugin)
      watchEnd()
    }
    // After the plugins, and again after each that comes later: what they track at the end of the page is sent then.
    const watchEnd = () => api.listeners.signal.aborted || api.watchEnd()
    for (const name of [...(settings.parts ?? PLUGIN_NAMES), 'debug' as const]) {
      const named = typeof name === 'string'
      if (started.has(name) || (named && !(settings[name] && allowed(name)))) continue
      started.add(name)
      if (named && name !== 'autoPage') beginLater(name).catch(api.log)
      else begin(named ? (load(name) as Plugin) : (name as unknown as Plugin))
    }
    watchEnd()
  }

  const begin = () => {
    client = createClient(settings, () => consent, load, linked)
    started = new Set()
    stops = []
    const { on } = client.listeners
    const ready = () => {
      client.start()
      startPlugins()
    }
    // A page that is rendered ahead may never be seen.
    if ((document as Document & { prerendering?: boolean }).prerendering)
      on(document, 'prerenderingchange', ready, { once: true })
    else ready()
    on(window, 'storage', event => {
      if ((event as StorageEvent).key === `slotstream-${CHOICE}`) change(initialConsent(consent, choices.get(CHOICE)))
    })
  }
  const end = (erase: boolean) => {
    for (const stop of stops) client.try(stop)
    client.destroy(erase)
  }

  const change = (next: Consent) => {
    const denied = next.analytics === 'denied'
    if (denied !== (consent.analytics === 'denied')) {
      consent = next
      end(denied)
      begin()
    } else {
      consent = next
      client.start()
      startPlugins()
    }
    emit('consent', next)
  }

  begin()
  return {
    client: () => client,
    consent: () => ({ ...consent }),
    choose(next, text) {
      choices.set(CHOICE, text)
      change(next)
    },
    destroy: () => end(false),
  }
}
