/** Names of the plugins, by the options that turn them on, in the order in which they start. */
export const PLUGIN_NAMES = [
  'autoPage',
  'engagement',
  'webVitals',
  'impressions',
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
