import type { BuiltInFeature } from '../built-in.js'

/** Features of content that every site has, unless it declares another one of the name, or switches it off. */
export const BUILT_IN_CONTENT_FEATURES: readonly BuiltInFeature[] = [
  ofContent('content_views', 'Views of the content in slots', 'Slot Viewed', {}),
  ofContent('content_clicks', 'Clicks on the content in slots', 'Slot Clicked', {}),
  ofContent('content_views_24h', 'Views of the last 24 hours', 'Slot Viewed', { window: '24h' }),
  ofContent('content_clicks_24h', 'Clicks of the last 24 hours', 'Slot Clicked', { window: '24h' }),
  ofContent('content_trend', 'Clicks, each counting half as much after six hours', 'Slot Clicked', { halfLife: '6h' }),
]

/** The feature that is made of two others: clicks per view. It is there while both of these are. */
export const CONTENT_CLICK_RATE = {
  name: 'content_click_rate',
  clicks: 'content_clicks',
  views: 'content_views',
} as const

function ofContent(
  name: string,
  description: string,
  event: string,
  time: Pick<BuiltInFeature, 'window' | 'halfLife'>,
): BuiltInFeature {
  return { name, description, source: { event }, aggregate: 'count', entity: 'content', ...time }
}
