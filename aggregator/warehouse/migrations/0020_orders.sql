-- One row per order, however often it was sent: by a page that was loaded again, or by page and server. The first counts;
-- who ordered, where it does not say so, a later one says. What was paid, and for what, is as the server says it where one
-- says it: any visitor can send an order of the same id. An order without an id is one by itself.
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
    sent.money.8 AS products
FROM
(
    SELECT
        site_id,
        if(order_id = '', concat('message ', toString(stream_seq), '/', toString(batch_index)), concat('order ', order_id)) AS key,
        min((timestamp, stream_seq, batch_index, order_id, message_id, session_id)) AS first,
        argMin((revenue, total, shipping, tax, discount, toString(currency), coupon, products), (sender != 'secret', timestamp, stream_seq, batch_index)) AS money,
        argMinIf(anonymous_id, (timestamp, stream_seq, batch_index), anonymous_id != '') AS browser,
        argMinIf(user_id, (timestamp, stream_seq, batch_index), user_id != '') AS person
    FROM slotstream.money_events
    WHERE kind = 'ordered'
    GROUP BY site_id, key
) AS sent;

-- The products of the orders, one row each, by their place in the list.
CREATE VIEW IF NOT EXISTS slotstream.order_items AS
SELECT
    site_id,
    order_id,
    timestamp,
    anonymous_id,
    user_id,
    toUInt32(place) AS line,
    JSONExtractString(product, 'product_id') AS product_id,
    JSONExtractString(product, 'sku') AS sku,
    JSONExtractString(product, 'name') AS name,
    JSONExtractString(product, 'category') AS category,
    JSONExtractString(product, 'brand') AS brand,
    JSONExtractString(product, 'variant') AS variant,
    JSONExtractString(product, 'coupon') AS coupon,
    if(isFinite(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(product, 'price'))) AS sent_price), sent_price, NULL) AS price,
    if(JSONExtractRaw(product, 'quantity') IN ('', 'null'), 1, if(isFinite(toFloat64OrNull(trim(BOTH '"' FROM JSONExtractRaw(product, 'quantity'))) AS sent_quantity), sent_quantity, NULL)) AS quantity,
    currency,
    round(price * quantity, 6) AS revenue
FROM slotstream.first_orders
ARRAY JOIN JSONExtractArrayRaw(products) AS product, arrayEnumerate(JSONExtractArrayRaw(products)) AS place;

-- Orders with what was given back of them: all of it by a refund that names neither an amount nor products, else the
-- amount, else the price of the products. What is refunded in another currency cannot be subtracted. Sums are of whole
-- millionths, so that they are the same in any order of addition.
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
        refunds.given)) / 1000000)) AS refunded,
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
        groupArray((toString(currency), whole, ifNull(coalesce(revenue, if(empty(lines), NULL, arraySum(lines))), 0))) AS given
    FROM
    (
        SELECT
            site_id, order_id, currency, whole, revenue,
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
