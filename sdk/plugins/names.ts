/** Names of the plugins, by the options that turn them on, in the order in which they start: first what loads the code that fills slots. */
export const PLUGIN_NAMES = [
  'impressions',
  'autoPage',
  'engagement',
  'webVitals',
  'autoSlots',
  'backgroundSync',
  'clicks',
  'downloads',
  'elementViews',
  'errors',
  'forms',
  'linkDomains',
  'outboundLinks',
] as const

export type PluginName = (typeof PLUGIN_NAMES)[number] | 'debug'
