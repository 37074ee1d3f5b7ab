import type { LoadPart } from './part-names.js'
import { pageViews } from './parts/page-views.js'

/**
 * The parts of the npm package. Page views are there from the start, because they come before everything else. The others
 * are files of their own that a bundler leaves out of the first one, and that load when they are switched on.
 */
export const lazyPart: LoadPart = name => {
  switch (name) {
    case 'autoPage':
      return pageViews
    case 'engagement':
      return import('./parts/engagement.js').then(({ engagement }) => engagement)
    case 'webVitals':
      return import('./parts/web-vitals.js').then(({ webVitals }) => webVitals)
    case 'backgroundSync':
      return import('./parts/background-sync.js').then(({ backgroundSync }) => backgroundSync)
    case 'debug':
      return import('./parts/debug.js').then(({ debug }) => debug)
    case 'autoSlots':
      return import('./parts/slots.js').then(({ slots }) => slots)
  }
}
