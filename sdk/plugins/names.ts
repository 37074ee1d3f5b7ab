/** Plugins by the options that turn them on. */
export type PluginName =
  | 'autoPage'
  | 'engagement'
  | 'webVitals'
  | 'impressions'
  | 'autoSlots'
  | 'backgroundSync'
  | 'clicks'
  | 'downloads'
  | 'elementViews'
  | 'errors'
  | 'forms'
  | 'linkDomains'
  | 'outboundLinks'
  | 'sessionFeatures'
  | 'debug'

/** All but `debug`, in the order in which they start. As a text, which is smaller than a list. */
export const PLUGIN_NAMES =
  'autoPage engagement webVitals impressions autoSlots backgroundSync clicks downloads elementViews errors forms linkDomains outboundLinks sessionFeatures'.split(
    ' ',
  ) as Exclude<PluginName, 'debug'>[]
