import type { SlotDecision } from '../types.js'

/** Decisions that came with the page, by slot, until they are asked for. They may come before `init`. */
export const handedOver = new Map<string, SlotDecision>()
