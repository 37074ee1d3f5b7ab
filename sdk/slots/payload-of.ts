import type { Slots } from '../client/slots.js'

/** Ids of the slots that are declared, or any text when there are none. */
export type SlotId = [keyof Slots] extends [never] ? string : keyof Slots & string

/**
 * Type of a slot's id in a call: one that is declared, where the call leaves its payload to the declaration. `Id` is
 * `string` where the call names the payload's type itself, or the id is known only when it runs: any is taken then.
 */
export type SlotIdIn<Id extends string> = string extends Id ? string : SlotId

/** Payload of a slot: what is declared for it, else what the call says. */
export type PayloadOf<Id extends string, Payload> = Id extends keyof Slots ? Slots[Id] : Payload
