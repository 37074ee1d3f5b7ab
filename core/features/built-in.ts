import type { FeatureDefinition } from '@slotstream/protocol'
import type { AnyAggregateName } from './aggregates/aggregates.js'

/** A feature that this product declares: it may use aggregates that are not offered to administrators. */
export type BuiltInFeature = Omit<FeatureDefinition, 'aggregate'> & { aggregate: AnyAggregateName }

/** Weights of events for their category, brand or tags: the more effort of the visitor, the more. */
const INTEREST = {
  page: 0.5,
  screen: 0.5,
  'Product List Viewed': 0.5,
  'Article Read': 1,
  'Product Viewed': 1,
  'Product Clicked': 1,
  'Slot Clicked': 1,
  'Product Added': 3,
  'Order Completed': 5,
}

const CLICKS = {
  'Element Clicked': 1,
  'Product Clicked': 1,
  'Slot Clicked': 1,
  'Outbound Link Clicked': 1,
  'File Downloaded': 1,
}

/** Events that are clicks. */
export const CLICK_EVENTS: readonly string[] = Object.keys(CLICKS)

/** Features that every site has, unless it declares another one of the name, or switches it off. */
export const BUILT_IN_FEATURES: readonly BuiltInFeature[] = [
  {
    name: 'category_affinity',
    description: 'Interest by category: weighted events, each counting half as much after a week',
    source: { events: INTEREST },
    by: 'product.category',
    aggregate: 'count',
    halfLife: '7d',
  },
  {
    name: 'brand_affinity',
    description: 'Interest by brand, as `category_affinity`',
    source: { events: INTEREST },
    by: 'properties.brand',
    aggregate: 'count',
    halfLife: '7d',
  },
  {
    name: 'tag_affinity',
    description: 'Interest by tag, as `category_affinity`',
    source: { events: INTEREST },
    by: 'properties.tags',
    aggregate: 'count',
    halfLife: '7d',
  },
  {
    name: 'page_views',
    description: 'Page and screen views so far',
    source: { events: { page: 1, screen: 1 } },
    aggregate: 'count',
  },
  {
    name: 'page_views_24h',
    description: 'Page and screen views of the last 24 hours',
    source: { events: { page: 1, screen: 1 } },
    aggregate: 'count',
    window: '24h',
  },
  {
    name: 'session_page_views',
    description: 'Page and screen views of the running session',
    source: { events: { page: 1, screen: 1 } },
    aggregate: 'count',
    window: 'session',
    public: true,
  },
  {
    name: 'session_clicks',
    description: 'Clicks of the running session: on elements, products, slots, links to other sites, downloads',
    source: { events: CLICKS },
    aggregate: 'count',
    window: 'session',
    public: true,
  },
  {
    name: 'session_duration',
    description: 'Milliseconds from the first to the latest message of the running session',
    source: { event: '*' },
    aggregate: 'span',
    window: 'session',
    public: true,
  },
  {
    name: 'session_engaged_time',
    description: 'Milliseconds of activity in the running session',
    source: { event: 'Page Engaged' },
    value: 'properties.activeMs',
    aggregate: 'sum',
    window: 'session',
    public: true,
  },
  {
    name: 'engaged_time_30d',
    description: 'Milliseconds of activity in the last 30 days',
    source: { event: 'Page Engaged' },
    value: 'properties.activeMs',
    aggregate: 'sum',
    window: '30d',
  },
  {
    name: 'time_by_category',
    description: 'Milliseconds of activity in the last 30 days on pages of a category',
    source: { event: 'Page Engaged' },
    value: 'properties.activeMs',
    by: 'properties.category',
    aggregate: 'sum',
    window: '30d',
  },
  {
    name: 'slot_click_rate',
    description: 'Clicks per view of content in slots, by slot',
    source: { events: { 'Slot Viewed': 0, 'Slot Clicked': 1 } },
    by: 'properties.slotId',
    aggregate: 'rate',
  },
  {
    name: 'orders',
    description: 'Orders so far: the frequency of recency, frequency, monetary value',
    source: { event: 'Order Completed' },
    value: 'properties.order_id',
    aggregate: 'distinct',
  },
  {
    name: 'since_order',
    description: 'Milliseconds since the last order: the recency',
    source: { event: 'Order Completed' },
    aggregate: 'sinceLast',
  },
  {
    name: 'revenue',
    description: 'Value of all orders by currency: the monetary value',
    source: { event: 'Order Completed' },
    value: 'order.amount',
    by: 'order.currency',
    aggregate: 'sum',
  },
  {
    name: 'recent_products',
    description: 'The latest 20 products that were viewed or added, the latest first',
    source: { events: { 'Product Viewed': 1, 'Product Added': 1 } },
    value: 'product.id',
    aggregate: 'recent',
  },
  {
    name: 'recent_content',
    description: 'The latest 20 items of content in slots that were clicked, the latest first',
    source: { event: 'Slot Clicked' },
    value: 'properties.contentId',
    aggregate: 'recent',
  },
  {
    name: 'cart',
    description: 'What is in the cart: quantity by product, and their sum',
    source: { events: { 'Product Added': 1, 'Product Removed': -1, 'Order Completed': 0, 'Cart Cleared': 0 } },
    value: 'cart.product',
    aggregate: 'cart',
  },
  contextFeature('first_referrer', 'context.page.referrer', 'first', 'URL of the page that first led the visitor here'),
  contextFeature('first_channel', 'context.traffic.channel', 'first', 'Channel by which the visitor first came'),
  contextFeature('channel', 'context.traffic.channel', 'last', 'Channel by which the visitor came last'),
  contextFeature('source', 'context.traffic.source', 'last', 'Source from which the visitor came last'),
  contextFeature('device', 'context.device.type', 'last', 'Type of the latest device: desktop, mobile, tablet …'),
  contextFeature('browser', 'context.browser.name', 'last', 'Name of the latest browser'),
  contextFeature('os', 'context.os.name', 'last', 'Name of the latest operating system'),
  contextFeature('crawler', 'context.bot.crawler', 'last', 'Name of the latest crawler that says who it is'),
  contextFeature('country', 'context.location.country', 'last', 'Country of the latest place, ISO 3166-1'),
  contextFeature('city', 'context.location.city', 'last', 'City of the latest place'),
  contextFeature('language', 'context.locale', 'last', 'Language of the latest device'),
  {
    name: 'usual_hour',
    description: 'Hour of the day at which most pages are viewed, 0–23, in the visitor’s time zone',
    source: { events: { page: 1, screen: 1 } },
    value: 'time.hour',
    aggregate: 'mode',
  },
  {
    name: 'usual_weekday',
    description: 'Day of the week on which most pages are viewed, 1–7 from Monday, in the visitor’s time zone',
    source: { events: { page: 1, screen: 1 } },
    value: 'time.weekday',
    aggregate: 'mode',
  },
  {
    name: 'active_days_30d',
    description: 'Days with a message among the last 30, in the visitor’s time zone',
    source: { event: '*' },
    value: 'time.date',
    aggregate: 'distinct',
    window: '30d',
  },
]

/** Declares a feature that is what the first or the latest message says of its circumstances. */
function contextFeature(name: string, path: string, aggregate: 'first' | 'last', description: string): BuiltInFeature {
  return { name, description, source: { event: '*' }, value: path, aggregate }
}
