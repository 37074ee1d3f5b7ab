/** Everything about slots, in one file of the script tag: loaded when the page has a slot, or asks for content. */
export { impressions } from '../../plugins/content/impressions.js'
export { slots as autoSlots } from '../../plugins/content/slots.js'
export { personalizerOf as personalizer } from '../../slots/personalizer-of.js'
