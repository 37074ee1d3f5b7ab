/** Returns whether this runs in a page, and not on a server. The script tag's files have `true` in its place. */
export const inBrowser = (): boolean => typeof window !== 'undefined' && typeof document !== 'undefined'
