-- As in 0023. An order below 0, such as a credit note, has nothing to give back; and a refund that a shop writes as a negative number
-- is one of that size.
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
    if(orders.revenue IS NULL, NULL, least(greatest(assumeNotNull(orders.revenue), 0), arraySum(arrayMap(
        refund -> round(1000000 * multiIf(refund.2, greatest(assumeNotNull(orders.revenue), 0), refund.1 IN ('', orders.currency), abs(refund.3), 0)),
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
