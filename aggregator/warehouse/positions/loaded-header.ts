/**
 * Header of a message that stands for one whose rows are in the table already: it was written again without a person
 * who was deleted.
 */
export const LOADED_HEADER = 'Slotstream-Loaded'
