import type { Metrics } from '@slotstream/runtime'

/** Fitting a matrix of 2,000 items, and counting what millions of browsers had to do with, in seconds. */
const FIT_SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300]

/** Creates the metrics of the process that fits. */
export function fitMetrics(metrics: Metrics) {
  return {
    fits: metrics.counter('item_fits_total', 'Fits of the matrices of items of a site, by result', ['result']),
    seconds: metrics.histogram('item_fit_seconds', 'Time that the matrices of items of a site took', FIT_SECONDS),
    browsers: metrics.gauge('item_fit_browsers', 'Browsers whose items were counted by the last fit', ['site']),
    items: metrics.gauge('item_fit_items', 'Items that the last fit is for', ['site']),
    age: metrics.gauge('item_fit_age_seconds', 'Age of the matrices of items, in seconds', ['site']),
  }
}

/** Creates the metrics of processes that rank by matrices of items. */
export function loadMetrics(metrics: Metrics) {
  return {
    models: metrics.gauge('item_models', 'Matrices of items in this process'),
    bytes: metrics.gauge('item_models_bytes', 'Memory that they take'),
    age: metrics.gauge('item_models_age_seconds', 'Age of the oldest of them, in seconds'),
    refused: metrics.counter('item_models_refused_total', 'Matrices that were not loaded, by reason', ['reason']),
  }
}
