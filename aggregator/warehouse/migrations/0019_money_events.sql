-- The few events that money depends on, with columns of their own: clicks on slots, orders, refunds, and which browser
-- named which user. An order may be credited to a click of an earlier period, and sent again in a later one, so all of them
-- are read whatever the period: some hundredths of the events, without their JSON. A number that is not finite is none.
-- A user_id that nobody proved is none.
CREATE TABLE IF NOT EXISTS slotstream.money_events
(
    site_id LowCardinality(String),
    kind LowCardinality(String),
    timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    message_id String CODEC(ZSTD),
    anonymous_id String CODEC(ZSTD),
    user_id String CODEC(ZSTD),
    session_id String CODEC(ZSTD),
    slot_id LowCardinality(String),
    content_id String CODEC(ZSTD),
    decision_id String CODEC(ZSTD),
    order_id String CODEC(ZSTD),
    currency LowCardinality(String),
    revenue Nullable(Float64),
    total Nullable(Float64),
    shipping Nullable(Float64),
    tax Nullable(Float64),
    discount Nullable(Float64),
    coupon String CODEC(ZSTD),
    products String CODEC(ZSTD),
    whole Bool,
    sender LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    stream_seq UInt64 CODEC(Delta, ZSTD),
    batch_index UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (site_id, kind, timestamp, stream_seq, batch_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS slotstream.money_events_of_events TO slotstream.money_events AS
SELECT
    site_id,
    multiIf(
        type = 'track' AND event = 'Order Completed', 'ordered',
        type = 'track' AND event = 'Order Refunded', 'refunded',
        type = 'track' AND event = 'Slot Clicked', 'clicked',
        'identified') AS kind,
    timestamp,
    message_id,
    anonymous_id,
    if(sender = 'unsigned', '', user_id) AS user_id,
    session_id,
    slot_id,
    content_id,
    decision_id,
    ifNull(toString(properties.order_id), '') AS order_id,
    upper(trimBoth(ifNull(toString(properties.currency), ''))) AS currency,
    if(properties.revenue IS NULL, total, if(isFinite(toFloat64OrNull(toString(properties.revenue))), toFloat64OrNull(toString(properties.revenue)), NULL)) AS revenue,
    if(isFinite(toFloat64OrNull(toString(properties.total))), toFloat64OrNull(toString(properties.total)), NULL) AS total,
    if(isFinite(toFloat64OrNull(toString(properties.shipping))), toFloat64OrNull(toString(properties.shipping)), NULL) AS shipping,
    if(isFinite(toFloat64OrNull(toString(properties.tax))), toFloat64OrNull(toString(properties.tax)), NULL) AS tax,
    if(isFinite(toFloat64OrNull(toString(properties.discount))), toFloat64OrNull(toString(properties.discount)), NULL) AS discount,
    ifNull(toString(properties.coupon), '') AS coupon,
    ifNull(toJSONString(properties.products), '') AS products,
    kind = 'refunded' AND properties.revenue IS NULL AND properties.total IS NULL AND properties.products IS NULL AS whole,
    sender,
    received_at,
    stream_seq,
    batch_index
FROM slotstream.events
WHERE (type = 'track' AND event IN ('Order Completed', 'Order Refunded'))
   OR (type = 'track' AND event = 'Slot Clicked' AND decision_id != '')
   OR (type IN ('identify', 'alias') AND anonymous_id != '' AND user_id != '' AND sender != 'unsigned');
