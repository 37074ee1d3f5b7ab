import type { AggregateName } from '@slotstream/protocol'
import type { Aggregate } from './aggregate.js'
import { cart } from './cart.js'
import { distinct } from './distinct.js'
import { first, last, max, min, sinceFirst, sinceLast, span } from './extremes.js'
import { recent } from './recent.js'
import { mode, topK, unique } from './sets.js'
import { count, exists, mean, rate, sum } from './sums.js'

/** Aggregates that only built-in features use. */
type OwnAggregateName = 'cart' | 'rate' | 'recent' | 'span'

export type AnyAggregateName = AggregateName | OwnAggregateName

/** All aggregates. A new one begins with a file beside this one, and a line here. */
export const AGGREGATE_BY_NAME: Readonly<Record<AnyAggregateName, unknown>> = {
  count,
  sum,
  min,
  max,
  mean,
  first,
  last,
  mode,
  distinct,
  unique,
  exists,
  sinceFirst,
  sinceLast,
  topK,
  cart,
  rate,
  recent,
  span,
} satisfies Record<AnyAggregateName, Pick<Aggregate<never>, never>>
