export { alias, destroy, flush, group, identify, init, page, personalize, reset, track } from './api.js'
export type { Options } from './options.js'
export type { PersonalizeOptions, Properties, SlotDecision, SlotItem, SlotOutcome } from './types.js'
