-- The paths of the context that nearly every message has become columns of their own type instead of dynamic ones: a
-- quarter less work for an insert, half of it for a merge, and no cast in a query. A message without one has ''
-- there, where other paths are NULL. Whatever else comes in a context stays dynamic.
ALTER TABLE slotstream.events MODIFY COLUMN context JSON(
    max_dynamic_paths = 128,
    library.name LowCardinality(String),
    library.version LowCardinality(String),
    page.url String,
    page.path String,
    page.referrer String,
    page.search String,
    page.title String,
    userAgent LowCardinality(String),
    locale LowCardinality(String),
    sessionId String,
    pageViewId String
);
