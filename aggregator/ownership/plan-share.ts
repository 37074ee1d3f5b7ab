export interface Share {
  /** Resources that this member holds beyond its share. */
  release: string[]
  /** Resources without an owner that belong to this member's share. */
  claim: string[]
}

/**
 * Returns what one of several members should release and claim, so that every resource is held and no member holds more
 * than one more than another. Nothing else moves. Pure; members that see the same compute shares that fit together, and
 * where they don't, the compare-and-set of the lease decides.
 *
 * @param live ids of the members that live, `me` among them
 * @param ownerOf id of the owner in a resource's lease, alive or not; '' for none
 */
export function planShare(
  me: string,
  live: ReadonlySet<string>,
  resources: readonly string[],
  ownerOf: (resource: string) => string,
): Share {
  const members = [...live].sort()
  const index = members.indexOf(me)
  if (index < 0) return { release: [], claim: [] }
  const share = Math.floor(resources.length / members.length) + (index < resources.length % members.length ? 1 : 0)
  const mine = resources.filter(resource => ownerOf(resource) === me)
  const free = resources.filter(resource => !live.has(ownerOf(resource)))
  // Each begins at another place, so that members who claim at the same time rarely claim the same.
  const start = Math.floor((free.length * index) / members.length)
  const claim = [...free.slice(start), ...free.slice(0, start)].slice(0, Math.max(0, share - mine.length))
  return { release: mine.slice(share), claim }
}
