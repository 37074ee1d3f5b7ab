import { pageViews } from './capture/page-views.js'
import type { Load, Loadable } from './loadable.js'

/**
 * Finds the plugins of the npm package. Page views are there from the start, because they come before everything else.
 * The others are files of their own that a bundler leaves out of the first one, and that load when they are switched
 * on: slots at once, what may come a moment later through one more file, which knows where each of them is and has the
 * sender.
 */
export const lazyPlugin = ((name: keyof Loadable) => {
  switch (name) {
    case 'autoPage':
      return pageViews
    case 'autoSlots':
      return import('./content/slots.js').then(({ slots }) => slots)
    default:
      return import('./later-plugins.js').then(({ laterPlugin }) => laterPlugin(name))
  }
}) as Load
