-- As in 0020, and an order that a server has reported is refunded by servers alone: any visitor can send a refund of a known
-- id with the public key.
DROP TABLE IF EXISTS slotstream.first_orders;

CREATE VIEW IF NOT EXISTS slotstream.first_orders AS
SELECT
    sent.site_id AS site_id,
    sent.key AS order_key,
    sent.first.1 AS timestamp,
    sent.first.4 AS order_id,
    sent.first.5 AS message_id,
    sent.browser AS anonymous_id,
    sent.person AS user_id,
    sent.first.6 AS session_id,
    sent.money.6 AS currency,
    sent.money.1 AS revenue,
    sent.money.2 AS total,
    sent.money.3 AS shipping,
    sent.money.4 AS tax,
    sent.money.5 AS discount,
    sent.money.7 AS coupon,
    sent.money.8 AS products,
    sent.reporter AS sender
FROM
(
    SELECT
        site_id,
        if(order_id = '', concat('message ', toString(stream_seq), '/', toString(batch_index)), concat('order ', order_id)) AS key,
        min((timestamp, stream_seq, batch_index, order_id, message_id, session_id)) AS first,
        argMin((revenue, total, shipping, tax, discount, toString(currency), coupon, products), (sender != 'secret', timestamp, stream_seq, batch_index)) AS money,
        argMin(toString(sender), (sender != 'secret', timestamp, stream_seq, batch_index)) AS reporter,
        argMinIf(anonymous_id, (timestamp, stream_seq, batch_index), anonymous_id != '') AS browser,
        argMinIf(user_id, (timestamp, stream_seq, batch_index), user_id != '') AS person
    FROM slotstream.money_events
    WHERE kind = 'ordered'
    GROUP BY site_id, key
) AS sent;

DROP TABLE IF EXISTS slotstream.orders;

CREATE VIEW IF NOT EXISTS slotstream.orders AS
SELECT
    orders.site_id AS site_id,
    orders.order_id AS order_id,
    orders.timestamp AS timestamp,
    orders.anonymous_id AS anonymous_id,
    orders.user_id AS user_id,
    orders.session_id AS session_id,
    orders.revenue AS revenue,
    orders.currency AS currency,
    orders.total AS total,
    orders.shipping AS shipping,
    orders.tax AS tax,
    orders.discount AS discount,
    orders.coupon AS coupon,
    if(orders.revenue IS NULL, NULL, least(assumeNotNull(orders.revenue), arraySum(arrayMap(
        refund -> round(1000000 * multiIf(refund.2, assumeNotNull(orders.revenue), refund.1 IN ('', orders.currency), refund.3, 0)),
        arrayFilter(refund -> orders.sender != 'secret' OR refund.4 = 'secret', refunds.given))) / 1000000)) AS refunded,
    round(orders.revenue - refunded, 6) AS net_revenue,
    arraySum(arrayMap(
        product -> if(JSONExtractRaw(product, 'quantity') IN ('', 'null'), 1, ifNull(if(isFinite(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(product, 'quantity'))) AS quantity), quantity, 0), 0)),
        JSONExtractArrayRaw(orders.products))) AS items,
    orders.message_id AS message_id
FROM slotstream.first_orders AS orders
LEFT ANY JOIN
(
    SELECT
        site_id,
        order_id,
        groupArray((toString(currency), whole, ifNull(coalesce(revenue, if(empty(lines), NULL, arraySum(lines))), 0), toString(sender))) AS given
    FROM
    (
        SELECT
            site_id, order_id, currency, whole, revenue, sender,
            arrayMap(
                product -> ifNull(if(isFinite(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(product, 'price'))) AS price), price, 0), 0)
                    * if(JSONExtractRaw(product, 'quantity') IN ('', 'null'), 1, ifNull(if(isFinite(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(product, 'quantity'))) AS quantity), quantity, 0), 0)),
                JSONExtractArrayRaw(products)) AS lines
        FROM slotstream.money_events
        WHERE kind = 'refunded' AND order_id != ''
    )
    GROUP BY site_id, order_id
) AS refunds
ON orders.site_id = refunds.site_id AND orders.order_id = refunds.order_id;
