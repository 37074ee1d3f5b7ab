export { SlotstreamProvider, type SlotstreamProviderProps } from '../react/provider.js'
export { Slot, type SlotProps } from '../react/slot.js'
export { type SlotAnswer, type UseSlotOptions, useSlot } from '../react/use-slot.js'
