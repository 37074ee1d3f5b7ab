/** Undoing copies of slots, for the script tag, once a page has one. */
export { undoCopy } from '../../slots/render/undo-copy.js'
