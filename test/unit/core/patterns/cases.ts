import type { PatternDefinition } from '@slotstream/protocol'

/** A case that was computed by hand. docs/signals.md prints it. */
export interface PatternCase {
  /** What it shows. */
  shows: string
  /** Times, events and properties in the order of arrival; #1 is the first message. */
  messages: string[]
  /** When, by which message, and the key. */
  found: string[]
}

export interface PatternCases {
  title: string
  pattern: PatternDefinition
  cases: PatternCase[]
}

const CART = { event: 'Product Added', key: 'properties.cart_id' }
const ORDER = { event: 'Order Completed', key: 'properties.cart_id' }

/** Cases of the kinds of patterns. A match is written as `30m by #1, key c1`. */
export const CASES: PatternCases[] = [
  {
    title: 'Absence at the end',
    pattern: { name: 'left-cart', sequence: [CART, { not: ORDER, within: '30m' }] },
    cases: [
      {
        shows: 'nothing follows: found when the time is over, without any message',
        messages: ['0m Product Added {"cart_id":"c1"}', '30m (clock)'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'an order of this cart: not found',
        messages: ['0m Product Added {"cart_id":"c1"}', '29m Order Completed {"cart_id":"c1"}', '60m (clock)'],
        found: [],
      },
      {
        shows: 'an order of another cart does not count',
        messages: ['0m Product Added {"cart_id":"c1"}', '10m Order Completed {"cart_id":"c2"}', '60m (clock)'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'exactly 30 minutes later is too late',
        messages: ['0m Product Added {"cart_id":"c1"}', '30m Order Completed {"cart_id":"c1"}'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'a later message of the visitor fires what is due, in place of a timer',
        messages: ['0m Product Added {"cart_id":"c1"}', '45m page'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'the time counts from the latest message of the cart: one signal',
        messages: ['0m Product Added {"cart_id":"c1"}', '20m Product Added {"cart_id":"c1"}', '90m (clock)'],
        found: ['50m by #2, key c1'],
      },
      {
        shows: 'two carts are two signals',
        messages: ['0m Product Added {"cart_id":"c1"}', '5m Product Added {"cart_id":"c2"}', '90m (clock)'],
        found: ['30m by #1, key c1', '35m by #2, key c2'],
      },
      {
        shows: 'messages without the key are of one cart',
        messages: ['0m Product Added', '5m Product Added', '90m (clock)'],
        found: ['35m by #2'],
      },
      {
        shows: 'a late order refutes: the signal stays, and is retracted once',
        messages: [
          '0m Product Added {"cart_id":"c1"}',
          '31m (clock)',
          '10m Order Completed {"cart_id":"c1"}',
          '11m Order Completed {"cart_id":"c1"}',
        ],
        found: ['30m by #1, key c1', 'retracted: 30m by #1, key c1'],
      },
      {
        shows: 'an order that arrives before the message it follows counts all the same',
        messages: ['10m Order Completed {"cart_id":"c1"}', '0m Product Added {"cart_id":"c1"}', '90m (clock)'],
        found: [],
      },
      {
        shows: 'after a signal the next begins with the next message',
        messages: ['0m Product Added {"cart_id":"c1"}', '40m Product Added {"cart_id":"c1"}', '90m (clock)'],
        found: ['30m by #1, key c1', '70m by #2, key c1'],
      },
    ],
  },
  {
    title: 'Messages one after the other',
    pattern: { name: 'compared', sequence: [{ event: 'A' }, { event: 'B' }, { event: 'C' }], within: '10m' },
    cases: [
      { shows: 'in order, others between them', messages: ['0m A', '1m X', '2m B', '3m C'], found: ['3m by #4'] },
      { shows: 'in another order: not found', messages: ['0m B', '1m A', '2m C'], found: [] },
      { shows: 'less than 10 minutes from the first to the last', messages: ['0m A', '2m B', '10m C'], found: [] },
      {
        shows: 'the latest first message counts',
        messages: ['0m A', '5m A', '6m B', '14m C'],
        found: ['14m by #4'],
      },
      { shows: 'a match uses its messages up', messages: ['0m A', '1m B', '2m C', '3m C'], found: ['2m by #3'] },
      {
        shows: 'the next one needs all messages anew',
        messages: ['0m A', '1m B', '2m C', '3m A', '4m B', '5m C'],
        found: ['2m by #3', '5m by #6'],
      },
    ],
  },
  {
    title: 'Absence between two messages',
    pattern: { name: 'back-without-help', sequence: [{ event: 'A' }, { not: { event: 'N' } }, { event: 'B' }] },
    cases: [
      { shows: 'none between them', messages: ['0m N', '1m A', '2m B', '3m N'], found: ['2m by #3'] },
      { shows: 'one between them', messages: ['0m A', '1m N', '2m B'], found: [] },
      { shows: 'one after an earlier first message', messages: ['0m A', '1m N', '2m A', '3m B'], found: ['3m by #4'] },
      {
        shows: 'one that arrives late retracts',
        messages: ['0m A', '2m B', '1m N'],
        found: ['2m by #2', 'retracted: 2m by #2'],
      },
    ],
  },
  {
    title: 'Absence for a time, then a message',
    pattern: {
      name: 'back-to-the-cart',
      sequence: [{ event: 'A' }, { not: { event: 'N' }, within: '30m' }, { event: 'B' }],
      within: '2h',
    },
    cases: [
      { shows: 'the absence is over before the last message', messages: ['0m A', '40m B'], found: ['40m by #2'] },
      { shows: 'it is not over', messages: ['0m A', '20m B'], found: [] },
      { shows: 'there is none', messages: ['0m A', '20m N', '40m B'], found: [] },
      { shows: 'what comes after it does no harm', messages: ['0m A', '35m N', '40m B'], found: ['40m by #3'] },
      { shows: 'the time of the whole', messages: ['0m A', '120m B'], found: [] },
    ],
  },
  {
    title: 'Two absences',
    pattern: {
      name: 'twice-silent',
      sequence: [
        { event: 'A' },
        { not: { event: 'N' }, within: '2m' },
        { event: 'B' },
        { not: { event: 'C' }, within: '2m' },
      ],
    },
    cases: [
      { shows: 'both are over', messages: ['0m A', '12m B', '14m (clock)'], found: ['14m by #2'] },
      {
        shows:
          'what is of the time of the last message is used up, although its own absence ends as the match is found',
        messages: ['0m A', '12m B', '12m A', '14m B', '20m (clock)'],
        found: ['14m by #2'],
      },
    ],
  },
  {
    title: 'Count',
    pattern: { name: 'keen', event: 'Product Viewed', key: 'properties.sku', count: 3, within: '10m' },
    cases: [
      {
        shows: 'three of one product',
        messages: [
          '0m Product Viewed {"sku":"a"}',
          '1m Product Viewed {"sku":"b"}',
          '4m Product Viewed {"sku":"a"}',
          '9m Product Viewed {"sku":"a"}',
        ],
        found: ['9m by #4, key a'],
      },
      {
        shows: 'the third is 10 minutes after the first: too late',
        messages: ['0m Product Viewed {"sku":"a"}', '4m Product Viewed {"sku":"a"}', '10m Product Viewed {"sku":"a"}'],
        found: [],
      },
      {
        shows: 'counted ones are used up',
        messages: [
          '0m Product Viewed {"sku":"a"}',
          '1m Product Viewed {"sku":"a"}',
          '2m Product Viewed {"sku":"a"}',
          '3m Product Viewed {"sku":"a"}',
          '4m Product Viewed {"sku":"a"}',
        ],
        found: ['2m by #3, key a'],
      },
      {
        shows: 'a late one counts where its time falls',
        messages: [
          '0m Product Viewed {"sku":"a"}',
          '12m Product Viewed {"sku":"a"}',
          '5m Product Viewed {"sku":"a"}',
          '9m Product Viewed {"sku":"a"}',
        ],
        found: ['9m by #4, key a'],
      },
    ],
  },
  {
    title: 'Sum',
    pattern: {
      name: 'big-spender',
      event: 'Order Completed',
      where: { 'properties.currency': 'EUR' },
      value: 'properties.total',
      sum: 100,
      within: '1h',
    },
    cases: [
      {
        shows: 'together they are enough',
        messages: [
          '0m Order Completed {"total":60.5,"currency":"EUR"}',
          '10m Order Completed {"total":500,"currency":"USD"}',
          '20m Order Completed {"total":39.5,"currency":"EUR"}',
        ],
        found: ['20m by #3'],
      },
      {
        shows: 'an hour apart they are not',
        messages: [
          '0m Order Completed {"total":60,"currency":"EUR"}',
          '60m Order Completed {"total":60,"currency":"EUR"}',
        ],
        found: [],
      },
      {
        shows: 'one is enough; what is no number above 0 adds nothing',
        messages: [
          '0m Order Completed {"total":-10,"currency":"EUR"}',
          '1m Order Completed {"total":"1,099.00","currency":"EUR"}',
          '2m Order Completed {"total":100,"currency":"EUR"}',
        ],
        found: ['2m by #3'],
      },
      {
        shows: 'a text of digits is a number',
        messages: [
          '0m Order Completed {"total":"60.50","currency":"EUR"}',
          '1m Order Completed {"total":"39.5","currency":"EUR"}',
        ],
        found: ['1m by #2'],
      },
    ],
  },
  {
    title: 'Return',
    pattern: { name: 'back', event: '*', after: '7d' },
    cases: [
      { shows: 'the first message of all is no return', messages: ['0m page'], found: [] },
      { shows: 'after seven days', messages: ['0m page', '7d page', '8d page'], found: ['7d by #2'] },
      { shows: 'after less', messages: ['0m page', '6d page', '12d page'], found: [] },
      {
        shows: 'a late message from in between retracts',
        messages: ['0m page', '8d page', '4d page'],
        found: ['8d by #2', 'retracted: 8d by #2'],
      },
    ],
  },
  {
    title: 'Change',
    pattern: { name: 'elsewhere', event: '*', changed: 'context.location.country', within: '1h', quiet: '1d' },
    cases: [
      {
        shows: 'another country within the hour',
        messages: [
          '0m page {"context":{"location":{"country":"FR"}}}',
          '30m page',
          '59m page {"context":{"location":{"country":"US"}}}',
        ],
        found: ['59m by #3'],
      },
      {
        shows: 'an hour later it may be a journey',
        messages: [
          '0m page {"context":{"location":{"country":"FR"}}}',
          '60m page {"context":{"location":{"country":"US"}}}',
        ],
        found: [],
      },
      {
        shows: 'back again, but quiet for a day',
        messages: [
          '0m page {"context":{"location":{"country":"FR"}}}',
          '1m page {"context":{"location":{"country":"US"}}}',
          '2m page {"context":{"location":{"country":"FR"}}}',
        ],
        found: ['1m by #2'],
      },
    ],
  },
  {
    title: 'Grace',
    pattern: {
      name: 'in-order',
      sequence: [{ event: 'A' }, { not: { event: 'N' } }, { event: 'B' }, { not: { event: 'C' }, within: '10m' }],
      grace: '2m',
    },
    cases: [
      {
        shows: 'found as if they had arrived in order',
        messages: ['2m B', '0m A', '14m (clock)'],
        found: ['12m by #1'],
      },
      { shows: 'found later by the grace', messages: ['0m A', '2m B', '13m (clock)'], found: [] },
      { shows: 'what refutes may come late', messages: ['2m B', '0m A', '1m N', '14m (clock)'], found: [] },
      {
        shows: 'later than the grace it is late',
        messages: ['0m A', '2m B', '14m (clock)', '11m C'],
        found: ['12m by #2', 'retracted: 12m by #2'],
      },
    ],
  },
]
