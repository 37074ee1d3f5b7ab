/**
 * Limits of the wire. The size limits are those of Segment's HTTP API, so that its libraries, which split their batches
 * to fit them, work unchanged (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/).
 */

/** Largest message, in bytes of its JSON text. Larger ones are rejected one by one; the rest of the batch is stored. */
export const MAX_MESSAGE_BYTES = 32 * 1024

/** Largest request body after decompression, in bytes. Larger ones are answered 413 as a whole. */
export const MAX_BATCH_BYTES = 500 * 1024

/** Most rejected messages that are replayed in one request. */
export const MAX_REPLAYED = 1_000

/** Most messages in one batch. Bounds the work one request can cause; 500 KB of the smallest messages stay below it. */
export const MAX_BATCH_MESSAGES = 5_000

/** Most batches that a request for slots carries: each is answered apart. */
export const MAX_SLOTS_BATCHES = 200

/** Deepest nesting of a message: `properties.a.b.c …`. */
export const MAX_DEPTH = 16

/**
 * Most keys in one message, at all levels together: each distinct one may become a column of its own in the warehouse.
 */
export const MAX_KEYS = 1_000

/**
 * Largest traits of one message, in bytes of their JSON text: they become part of a profile, which is held in memory.
 */
export const MAX_TRAITS_BYTES = 16 * 1024

/** Most values in the traits of one message, at all levels together. */
export const MAX_TRAIT_VALUES = 1_000

/** Longest key, in characters. Values are bound by the size of the message. */
export const MAX_KEY_LENGTH = 256

/** Longest `event` name, id (`messageId`, `anonymousId`, `userId`, slot and content ids), in characters. */
export const MAX_NAME_LENGTH = 256

/** Most slots in one `/v1/slots` request, most items of one slot, and most that a request may name for all together. */
export const MAX_SLOTS = 20
export const MAX_ITEMS = 50
export const MAX_POSITIONS = 100

/** Longest time after a click in which an order is credited to it, in hours. */
export const MAX_ATTRIBUTION_HOURS = 720

/** Oldest time a message may carry. Imported history is welcome; a clock that was never set (1970) is not. */
export const EARLIEST_TIMESTAMP = Date.UTC(2000, 0, 1)

/**
 * How far beyond the server's clock a corrected time may lie before the message is rejected, in milliseconds.
 * Anything less is taken for skew and clamped to the time of receipt.
 */
export const MAX_FUTURE_MS = 24 * 60 * 60 * 1000

/** Visitor ids of a site whose messages are spread over partitions. */
export const MAX_SPREAD = 100
