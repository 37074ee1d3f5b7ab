import { ofDocument } from '../capture/of-document.js'
import {
  addMiddleware,
  alias,
  consent,
  destroy,
  flush,
  group,
  hydrate,
  identify,
  page,
  refresh,
  reset,
  setProperties,
  track,
} from '../client/api.js'
import { begin, running } from '../client/calls.js'
import type { Options } from '../client/options.js'
import { PATIENT, SLOT_PLUGINS } from '../client/start.js'
import { parse } from '../delivery/parse.js'
import { emit } from '../platform/emit.js'
import { guard } from '../platform/guard.js'
import { documentViews } from '../plugins/capture/page-views.js'
import { followRoutes } from '../plugins/capture/routes.js'
import { slots } from '../plugins/content/slots.js'
import type { Load, Loadable, Plugin } from '../plugins/loadable.js'
import { askWith } from '../slots/ask-with.js'
import { firstSlot } from '../slots/first-slot.js'
import { hasSlot } from '../slots/has-slot.js'
import { personalizerOf } from '../slots/personalizer-of.js'
import type { PersonalizeOptions } from '../types.js'
import { VERSION } from '../version.js'

/**
 * The script tag: `<script async src="https://collector.example/sdk.js" data-write-key="…"></script>`. Every option
 * that is a text, a number or a switch can be set by an attribute: `data-auto-page="false"`, `data-consent="pending"`,
 * `data-debug`. Plugins that aren't in this file come from beside it: `sdk/clicks.js`.
 */
// In what visitors write, an element named `currentScript` would take its place and decide where code comes from.
// There is none while a module runs.
const script = (ofDocument('currentScript') ??
  document.querySelector('script[data-write-key]')) as HTMLScriptElement | null
const source = script?.src || location.href
/** Page views; routes are followed at once, so that none is missed. */
const autoPage: Plugin = client => {
  documentViews(client)
  followRoutes(client, history.length)
  return () => {}
}
const bundled: Partial<Loadable> = { autoPage, autoSlots: slots, firstSlot }
const load = ((name: keyof Loadable) => bundled[name] ?? later(name)) as Load
const slotstream = {
  addMiddleware,
  alias,
  consent,
  debug: () => later('inspector').then(open => open(running)),
  destroy,
  flush,
  group,
  hydrate,
  identify,
  init: (options: Options) => begin({ endpoint: new URL(source).origin, ...options }, load),
  page,
  personalize: (slotId: string, options?: PersonalizeOptions) => askWith(personalizerOf, slotId, options),
  refresh,
  reset,
  setProperties,
  track,
}
const host = window as Window & { slotstream?: typeof slotstream }

/**
 * Loads what isn't in this file: `outboundLinks` from `outbound-links.js`. What pages load by default is in one file,
 * which is mostly for web vitals: without those, or where it can't be loaded, each has its own.
 */
async function later(name: string) {
  const from = async (file: string) => {
    const module = await import(new URL(`sdk/${file}.js?v=${VERSION}`, source).href)
    return module[name]
  }
  const alone = () => from(name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`))
  // Exports of `script/slots.ts`, and of `script/defaults.ts`.
  if (SLOT_PLUGINS.includes(name)) return from('slots')
  return PATIENT.includes(name) && running()?.client().settings.webVitals ? from('defaults').catch(alone) : alone()
}

/** Reads an attribute: `data-debug` alone means yes. */
const settingOf = (text = '') => text === '' || (parse(text) ?? text)

type Call = [name: keyof typeof slotstream, ...given: never[]]

// Its own property only: an element with that id is found under the name, too, but through the prototype. A page may
// have put an element there, or a list of the calls that it made before.
const existing = Object.hasOwn(host, 'slotstream') ? (host.slotstream as unknown) : undefined
const queue = Array.isArray(existing) ? (existing as Call[]) : []
if (existing === queue || !(existing as typeof slotstream | undefined)?.track) {
  const make = ([name, ...args]: Call) => (slotstream[name] as (...args: never[]) => unknown)(...args)
  const replay = (...calls: (Call | (() => void))[]) => {
    for (const call of calls) guard(console.error, typeof call === 'function' ? call : () => make(call))
  }
  host.slotstream = Object.assign(slotstream, { push: replay })
  const options: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(script?.dataset ?? {}))
    options[name] = name === 'writeKey' ? text : settingOf(text)
  const initByTag = () => slotstream.init(options as unknown as Options)
  // Without a key in its tag a page may call `init` itself; one that hasn't when it is complete is told.
  if (options.writeKey) initByTag()
  else if (document.readyState === 'complete') setTimeout(initByTag)
  else addEventListener('load', () => setTimeout(initByTag))
  replay(...queue)
  emit('ready', slotstream)
  // A request for slots is worth this task; without one the start waits for the next.
  if (hasSlot()) running()
} else console.error('[slotstream] is here already')
