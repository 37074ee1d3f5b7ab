/**
 * The tracking plan: empty, so that `track` takes any name. Declare yours to narrow it:
 * `declare module 'slotstream' { interface Events { 'Product Viewed': { product_id: string } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: pages add to it
export interface Events {}
