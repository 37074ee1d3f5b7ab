import type { Impression, Source } from '#sources/open-bandit/open-bandit.js'

/** An impression with the fields a test cares about. */
export function anImpression(fields: Partial<Impression> = {}): Impression {
  return {
    index: 0,
    time: Date.UTC(2019, 10, 24, 0, 3, 13, 442),
    contentId: 'item-14',
    position: 3,
    clicked: false,
    propensity: 1 / 34,
    userFeatures: { user_feature_0: 'a', user_feature_1: 'b' },
    affinities: {},
    ...fields,
  }
}

export const SOURCE: Source = { siteId: 'open-bandit', fingerprint: 'f1', policy: 'random' }
