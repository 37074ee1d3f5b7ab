// @ts-check

/**
 * A JSON value in web storage. Where storage is blocked or holds something unreadable, `read` gives the fallback and
 * `write` does nothing: the shop goes on for this page.
 * @template T
 * @param {'localStorage' | 'sessionStorage'} area
 * @param {string} key
 * @param {T} fallback
 */
export const stored = (area, key, fallback) => ({
  /** @returns {T} */
  read() {
    try {
      return JSON.parse(window[area].getItem(key) ?? '') ?? fallback
    } catch {
      return fallback
    }
  },
  /** @param {T} value */
  write(value) {
    try {
      window[area].setItem(key, JSON.stringify(value))
    } catch {
      // Blocked or full.
    }
  },
})
