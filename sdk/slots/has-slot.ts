/** Tells whether the document has an element for content that is chosen for the visitor. */
export const hasSlot = () => document.querySelector('[data-slot]')
