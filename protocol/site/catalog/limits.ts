/** Limits of slots and content. docs/catalog.md lists them. */

/** Most slots and most content of a site. */
export const MAX_CATALOG_SLOTS = 1_000
export const MAX_CATALOG_CONTENT = 20_000

/** Largest slot or content, in bytes of its JSON text: NATS takes values of 1 MB. */
export const MAX_CATALOG_ITEM_BYTES = 256 * 1024

/** Largest payload of a content, in bytes of its JSON text: each answer carries it. */
export const MAX_PAYLOAD_BYTES = 64 * 1024

/** Most slots of a content. */
export const MAX_SLOTS_OF_CONTENT = 1_000

/** Most content that a policy lists. */
export const MAX_LISTED_CONTENT = 1_000

/** Most content of a campaign. */
export const MAX_CAMPAIGN_CONTENT = 100

/** Most campaigns, and most rewards, of a slot. */
export const MAX_CAMPAIGNS = 50
export const MAX_REWARDS = 20

/** Most caps of a content, and the greatest count of one: a profile keeps as many decisions. */
export const MAX_CAPS = 8
export const MAX_CAP_COUNT = 100

/** Most tags of a content. */
export const MAX_TAGS = 10_000

/** Deepest nesting of ensembles, and most policies of one. */
export const MAX_ENSEMBLE_DEPTH = 3
export const MAX_ENSEMBLE_POLICIES = 10

/** The greatest weight of a content, share of a policy, and count of a prior. */
export const MAX_WEIGHT = 1_000_000

/** The greatest price of a content. */
export const MAX_PRICE = 1_000_000_000_000

/** The greatest value of a reward, either way. */
export const MAX_REWARD_VALUE = 100_000

/** Longest time after a decision in which an event is a reward for it, in hours. */
export const MAX_REWARD_HOURS = 720

/** Deepest nesting of a condition, of attributes and of a schema, and most values of one. */
export const MAX_JSON_DEPTH = 32
export const MAX_JSON_VALUES = 20_000
