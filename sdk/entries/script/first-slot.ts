/** Waiting for a slot, for pages of the script tag without `defaults.js`. */
export { firstSlot } from '../../slots/first-slot.js'
