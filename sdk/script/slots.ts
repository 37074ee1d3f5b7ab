/** All that has to do with slots, in one file of the script tag: it comes when the page has a slot, or asks for content. */
export { impressions } from '../parts/impressions.js'
export { slots as autoSlots } from '../parts/slots.js'
export { personalizerOf as personalizer } from '../slots/personalizer-of.js'
