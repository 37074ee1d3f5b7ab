import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { itemPoliciesOf } from '#core/catalog/policy-needs.js'

describe('policies by matrices of items', () => {
  it.each<[string[], PolicySpec | undefined]>([
    [[], undefined],
    [[], { type: 'popular' }],
    [['ease'], { type: 'ease' }],
    [
      ['knn', 'covisitation'],
      {
        type: 'ensemble',
        policies: [
          { share: 1, policy: { type: 'knn' } },
          { share: 1, policy: { type: 'thompson' } },
          {
            share: 1,
            policy: {
              type: 'ensemble',
              policies: [
                { share: 1, policy: { type: 'covisitation' } },
                { share: 2, policy: { type: 'knn' } },
              ],
            },
          },
        ],
      },
    ],
  ])('are %j', (types, policy) => expect(itemPoliciesOf(policy)).toEqual(types))
})
