/** Filling slots and watching over them, in one file of the script tag: loaded when the page has a slot. */
export { createFiller as filler } from '../../plugins/content/filler.js'
export { impressions } from '../../plugins/content/impressions.js'
