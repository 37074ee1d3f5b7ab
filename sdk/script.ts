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
  personalize,
  reset,
  setProperties,
  track,
} from './api.js'
import { begin, running } from './calls.js'
import type { Options } from './options.js'
import type { LoadPart, OwnPart, PartName } from './part-names.js'
import { pageViews } from './parts/page-views.js'
import { slots } from './parts/slots.js'
import { emit } from './platform/emit.js'
import { nextTask } from './platform/next-task.js'
import { VERSION } from './version.js'

/**
 * The script tag: `<script async src="https://collector.example/sdk.js" data-write-key="…"></script>`. Every option that
 * is a text, a number or a switch can stand in an attribute: `data-auto-page="false"`, `data-consent="pending"`, `data-debug`. Parts that aren't in this file come
 * from beside it: `sdk/web-vitals.js`.
 */
const parts: Partial<Record<PartName, OwnPart>> = { autoPage: pageViews, autoSlots: slots }
const script = document.currentScript as HTMLScriptElement | null
const source = script?.src || location.href
const load = ((name: PartName) => parts[name] ?? later(name)) as LoadPart
const slotstream = {
  addMiddleware,
  alias,
  consent,
  debug: () => later('inspector').then(open => open(() => running)),
  destroy,
  flush,
  group,
  hydrate,
  identify,
  init: (options: Options) => begin(options, load),
  page,
  personalize,
  reset,
  setProperties,
  track,
}
const host = window as Window & { slotstream?: typeof slotstream }

/** `webVitals` is in `web-vitals.js`. */
function fileOf(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** Not in the task that starts the page: to begin a download costs milliseconds. */
async function later(name: string) {
  await nextTask()
  const file = await import(new URL(`sdk/${fileOf(name)}.js?v=${VERSION}`, source).href)
  return file[name]
}

/** What an attribute says: `data-debug` alone means yes. */
const settingOf = (text = '') => ({ '': true, true: true, false: false })[text] ?? (Number(text) || text)

if (!host.slotstream) {
  host.slotstream = slotstream
  const options = Object.fromEntries(
    Object.entries(script?.dataset ?? {}).map(([name, text]) => [name, name === 'writeKey' ? text : settingOf(text)]),
  )
  if (options.writeKey) slotstream.init({ endpoint: new URL(source).origin, ...options } as unknown as Options)
  emit('ready', slotstream)
}
