import type { Properties } from '../types.js'
import type { Events } from './events.js'

/** Names that `track` takes: those of the tracking plan, or any when there is none. */
export type EventName = [keyof Events] extends [never] ? string : keyof Events & string

/** Arguments of `track` after a name: the plan's properties and no others, optional when none of them is required. */
export type PropertiesOf<E> = E extends keyof Events
  ? Record<never, never> extends Events[E]
    ? [properties?: Events[E]]
    : [properties: Events[E]]
  : [properties?: Properties]
