import { emit } from '../platform/emit.js'
import { nextTask } from '../platform/next-task.js'
import { createStorage } from '../platform/storage.js'
import type { Load, Plugin } from '../plugins/loadable.js'
import { PLUGIN_NAMES, type PluginName } from '../plugins/names.js'
import { type Client, createClient } from './client.js'
import { type Consent, initialConsent } from './consent.js'
import { type Options, settle } from './options.js'

/** The package at work on a page. */
export interface Running {
  /** What calls go to; another one after consent was withdrawn or given again. */
  client(): Client
  /** What holds now. */
  consent(): Consent
  /** Applies a choice, and remembers it by the text that `remember` made. */
  choose(next: Consent, text: string): void
  destroy(): void
}

/** Parts that have nothing to do in a page without slots. */
const OF_SLOTS = ['autoSlots', 'impressions']

/** Key under which the choice is kept, apart from what it may forbid to keep. */
const CHOICE = 'consent'

/**
 * Starts the package on this page with the parts its options name.
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

  const startParts = () => {
    const of = client
    const begin = (part: Plugin, since: number) => {
      // Ended while the part was loading.
      if (of.listeners.signal.aborted) return
      of.try(() => stops.push(part(of, load, since)))
    }
    const beginLater = async (name: PluginName) => {
      const ofSlots = OF_SLOTS.includes(name)
      const since = ofSlots && document.querySelector('[data-slot]') ? Date.now() : 0
      // To begin a download costs the page milliseconds while it starts. A slot is worth them.
      if (!since) await nextTask()
      if (ofSlots && !since) await (await load('firstSlot'))(of.listeners)
      begin(await load(name), since)
      watchEnd()
    }
    // After the parts, and anew after each that comes later: what they track at the end of the page is sent then.
    const watchEnd = () => of.listeners.signal.aborted || of.watchEnd()
    for (const name of [...(settings.parts ?? PLUGIN_NAMES), 'debug' as const]) {
      const named = typeof name === 'string'
      if (started.has(name) || (named && !(settings[name] && allowed(name)))) continue
      started.add(name)
      if (named && name !== 'autoPage') beginLater(name).catch(of.log)
      else begin(named ? (load(name) as Plugin) : (name as unknown as Plugin), 0)
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
      startParts()
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
      end(denied)
      consent = next
      begin()
    } else {
      consent = next
      client.start()
      startParts()
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
