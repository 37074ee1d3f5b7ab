import type { Change, LeaseStore } from '#aggregator/ownership/lease-store.js'

/** What becomes of a call: it is done, it fails before or after it had its effect. */
export type Fate = 'done' | 'refused' | 'unheard'

/**
 * A store whose calls take as long as the test wants: each waits once before its effect and once before its answer.
 * Changes reach a member when the test delivers them, in their order.
 */
export function simulatedStore() {
  const entries = new Map<string, { value: string; revision: number }>()
  const inboxes = new Map<string, Change[]>()
  const waiting: ((fate: Fate) => void)[] = []
  let last = 0

  const turn = () => new Promise<Fate>(resolve => waiting.push(resolve))

  async function call<T>(effect: () => T): Promise<T> {
    if ((await turn()) === 'refused') throw new Error('refused')
    const result = effect()
    if ((await turn()) !== 'done') throw new Error('the answer was lost')
    return result
  }

  function put(key: string, value: object, revision: number): number {
    if ((entries.get(key)?.revision ?? 0) !== revision) throw new Error('wrong last sequence')
    entries.set(key, { value: JSON.stringify(value), revision: ++last })
    return last
  }

  function tell(change: Change): void {
    for (const inbox of inboxes.values()) inbox.push(change)
  }

  const store: Omit<LeaseStore, 'watch'> = {
    beat: (id, note, revision) =>
      call(() => {
        const next = put(`member.${id}`, note, revision)
        tell({ kind: 'member', id, note, revision: next })
        return next
      }),
    memberRevision: id => call(() => entries.get(`member.${id}`)?.revision ?? 0),
    removeMember: id =>
      call(() => {
        if (entries.delete(`member.${id}`)) tell({ kind: 'member', id, note: undefined, revision: ++last })
      }),
    write: (resource, lease, revision) =>
      call(() => {
        const next = put(`lease.${resource}`, lease, revision)
        tell({ kind: 'lease', resource, lease, revision: next })
        return next
      }),
    read: resource =>
      call(() => {
        const entry = entries.get(`lease.${resource}`)
        return entry && { lease: JSON.parse(entry.value), revision: entry.revision }
      }),
  }

  return {
    store: store as LeaseStore,
    /** Something that takes its time, beside the calls. */
    turn,
    waiting: () => waiting.length,
    /** One step of a call under way. */
    step: (index: number, fate: Fate) => waiting.splice(index % waiting.length, 1)[0]?.(fate),
    /** A watch: first what is there. */
    watch(id: string) {
      const present: Change[] = [...entries].map(([key, { value, revision }]) =>
        key.startsWith('member.')
          ? { kind: 'member', id: key.slice('member.'.length), note: JSON.parse(value), revision }
          : { kind: 'lease', resource: key.slice('lease.'.length), lease: JSON.parse(value), revision },
      )
      inboxes.set(id, [])
      return present.sort((a, b) => a.revision - b.revision)
    },
    /** Takes what there is now; what it returns brings that back, as a server does that has lost what came later. */
    keep() {
      const [kept, keptLast] = [[...entries], last]
      return () => {
        entries.clear()
        for (const [key, entry] of kept) entries.set(key, entry)
        last = keptLast
      }
    },
    take: (id: string, count: number) => inboxes.get(id)?.splice(0, count) ?? [],
    forget: (id: string) => inboxes.delete(id),
  }
}
