import type { Events } from '../entries/index.js'
import type { Properties } from '../types.js'

/** Names that `track` takes: those of the tracking plan, or any when there is none. */
export type EventName = [keyof Events] extends [never] ? string : keyof Events & string

/** What `track` takes after a name: the plan's properties and no others, which may be left out when none of them is needed. */
export type PropertiesOf<E> = E extends keyof Events
  ? Record<never, never> extends Events[E]
    ? [properties?: Events[E]]
    : [properties: Events[E]]
  : [properties?: Properties]
