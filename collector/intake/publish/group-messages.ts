import type { Sender } from '@slotstream/protocol'
import type { AcceptedMessage } from './outgoing-envelope.js'

/** Messages of one visitor in a batch that were sent by the same kind of sender, in order. */
export interface VisitorMessages {
  visitorId: string
  sender: Sender
  messages: AcceptedMessage[]
  ids: Set<string>
}

/** Groups the messages of one batch by visitor and sender. */
export interface MessageGroups {
  /** In the order in which they first occur. */
  readonly all: VisitorMessages[]
  /** The group that the last message belongs to. */
  readonly last: VisitorMessages | undefined
  /** Adds a message to its group. Returns false where the group has its id already: it is kept once. */
  add(message: AcceptedMessage, visitorId: string, sender: Sender): boolean
}

/** Creates an empty set of groups. */
export function createMessageGroups(): MessageGroups {
  const bySender: Record<Sender, Map<string, VisitorMessages>> = {
    public: new Map(),
    unsigned: new Map(),
    secret: new Map(),
  }
  const all: VisitorMessages[] = []
  let last: VisitorMessages | undefined

  function groupOf(visitorId: string, sender: Sender): VisitorMessages {
    const existing = bySender[sender].get(visitorId)
    if (existing) return existing
    const group: VisitorMessages = { visitorId, sender, messages: [], ids: new Set() }
    bySender[sender].set(visitorId, group)
    all.push(group)
    return group
  }

  return {
    all,
    get last() {
      return last
    },
    add(message, visitorId, sender) {
      // Nearly always that of the message before.
      if (last?.visitorId !== visitorId || last.sender !== sender) last = groupOf(visitorId, sender)
      const countBefore = last.ids.size
      if (last.ids.add(message.id).size === countBefore) return false
      last.messages.push(message)
      return true
    },
  }
}
