/**
 * The slots of the catalog and the payloads of their content: empty, so that `personalize` takes any id. Declare yours
 * to type it: `declare module 'slotstream' { interface Slots { hero: { title: string } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: pages add to it
export interface Slots {}
