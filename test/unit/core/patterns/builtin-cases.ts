import type { PatternCase } from './cases.js'

const click = (time: string, selector?: string) =>
  `${time} Element Clicked ${JSON.stringify(selector === undefined ? {} : { selector })}`
const page = (time: string, country?: string) =>
  `${time} page ${JSON.stringify(country === undefined ? {} : { context: { location: { country } } })}`

/** Cases of the built-in patterns, computed by hand. docs/signals.md prints them. */
export const BUILTIN_CASES: { name: string; cases: PatternCase[] }[] = [
  {
    name: 'cart_abandonment',
    cases: [
      {
        shows: 'nothing follows for 30 minutes',
        messages: ['0m Product Added {"cart_id":"c1"}', '5m Product Viewed', '30m (clock)'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'the cart is ordered',
        messages: ['0m Product Added {"cart_id":"c1"}', '20m Order Completed {"cart_id":"c1"}', '90m (clock)'],
        found: [],
      },
      {
        shows: 'an order that names no cart is one of all carts',
        messages: ['0m Product Added {"cart_id":"c1"}', '20m Order Completed {"order_id":"o1"}', '90m (clock)'],
        found: [],
      },
      {
        shows: 'another cart is ordered',
        messages: ['0m Product Added {"cart_id":"c1"}', '20m Order Completed {"cart_id":"c2"}', '90m (clock)'],
        found: ['30m by #1, key c1'],
      },
      {
        shows: 'a shop without cart ids has one cart',
        messages: ['0m Product Added', '10m Product Added', '90m (clock)'],
        found: ['40m by #2'],
      },
    ],
  },
  {
    name: 'rage_clicks',
    cases: [
      {
        shows: 'four clicks on one element within two seconds',
        messages: [click('1s', '#buy'), click('1s', '#buy'), click('2s', '#buy'), click('2s', '#buy')],
        found: ['2s by #4, key #buy'],
      },
      {
        shows: 'on several elements',
        messages: [click('1s', '#buy'), click('1s', '#buy'), click('2s', '#top'), click('2s', '#buy')],
        found: [],
      },
      {
        shows: 'more slowly',
        messages: [click('1s', '#buy'), click('1s', '#buy'), click('2s', '#buy'), click('3s', '#buy')],
        found: [],
      },
      {
        shows: 'four more: quiet for a minute',
        messages: [
          ...['1s', '1s', '2s', '2s', '3s', '3s', '4s', '4s'].map(time => click(time, '#buy')),
          ...['70s', '70s', '70s', '70s'].map(time => click(time, '#buy')),
        ],
        found: ['2s by #4, key #buy', '70s by #12, key #buy'],
      },
      {
        shows: 'clicks that name no element',
        messages: [click('1s'), click('1s'), click('1s'), click('1s')],
        found: [],
      },
    ],
  },
  {
    name: 'returning_visitor',
    cases: [
      { shows: 'after 30 days', messages: ['0m page', '30d Product Viewed'], found: ['30d by #2'] },
      { shows: 'after less', messages: ['0m page', '29d page'], found: [] },
      { shows: 'the first visit', messages: ['0m page'], found: [] },
    ],
  },
  {
    name: 'geography_anomaly',
    cases: [
      {
        shows: 'another country within the hour',
        messages: [page('0m', 'FR'), page('59m', 'US')],
        found: ['59m by #2'],
      },
      { shows: 'an hour later', messages: [page('0m', 'FR'), page('60m', 'US')], found: [] },
      {
        shows: 'messages without country in between',
        messages: [page('0m', 'FR'), page('5m'), page('10m', 'FR')],
        found: [],
      },
    ],
  },
]
