import type { DeclaredPattern, PatternDefinition } from '@slotstream/protocol'

/** Patterns that every site has, unless it declares others of the same name or switches them off. */
export const BUILTIN_PATTERNS: readonly PatternDefinition[] = [
  {
    name: 'cart_abandonment',
    description: 'Something was put into the cart, and for 30 minutes neither anything else nor an order followed',
    sequence: [
      { event: 'Product Added', key: 'properties.cart_id' },
      {
        not: [
          { event: 'Order Completed', key: 'properties.cart_id' },
          // Segment's specification gives an order no cart: such a one is of all of them.
          { event: 'Order Completed', where: { 'properties.cart_id': { $exists: false } } },
        ],
        within: '30m',
      },
    ],
  },
  {
    name: 'rage_clicks',
    description: 'The same element was clicked four times within two seconds; once a minute at most',
    event: 'Element Clicked',
    where: { 'properties.selector': { $exists: true } },
    key: 'properties.selector',
    count: 4,
    within: '2s',
    quiet: '1m',
    // Two devices are not clicked on within two seconds.
    entity: 'visitor',
  },
  {
    name: 'returning_visitor',
    description: 'The visitor is back after 30 days or more',
    event: '*',
    after: '30d',
  },
  {
    name: 'geography_anomaly',
    description: 'The visitor is in another country than less than an hour before; once a day at most',
    event: '*',
    changed: 'context.location.country',
    within: '1h',
    quiet: '1d',
  },
]

/** Returns what counts for a site: the built-in patterns that it neither replaces nor switches off, then its own. */
export function withBuiltinPatterns(declared: readonly DeclaredPattern[]): PatternDefinition[] {
  const names = new Set(declared.map(({ name }) => name))
  return [
    ...BUILTIN_PATTERNS.filter(({ name }) => !names.has(name)),
    ...declared.filter((pattern): pattern is PatternDefinition => !('off' in pattern)),
  ]
}
