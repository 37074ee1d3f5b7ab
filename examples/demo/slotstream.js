// @ts-check

/**
 * @typedef {object} Slotstream
 * @property {(event: string, properties?: Record<string, unknown>) => void} track
 * @property {(userId: string, traits?: Record<string, unknown>) => void} identify
 * @property {() => unknown} reset
 */

/** @returns {Slotstream | undefined} */
const api = () => /** @type {{ slotstream?: Slotstream }} */ (/** @type {unknown} */ (window)).slotstream

/**
 * The SDK once its script has loaded, which may be before or after this module. Never settles without it: the shop
 * works the same, it only goes unnoticed.
 * @returns {Promise<Slotstream>}
 */
export function ready() {
  const loaded = api()
  if (loaded) return Promise.resolve(loaded)
  return new Promise(resolve => {
    window.addEventListener(
      'slotstream:ready',
      event => resolve(/** @type {CustomEvent<Slotstream>} */ (event).detail),
      {
        once: true,
      },
    )
  })
}

/**
 * Tracks an event as soon as the SDK is there.
 * @param {string} event
 * @param {Record<string, unknown>} properties
 */
export async function track(event, properties) {
  const slotstream = await ready()
  slotstream.track(event, properties)
}

/** Makes this browser a new visitor. Without the SDK there is nothing to forget. */
export async function forgetVisitor() {
  await api()?.reset()
}
