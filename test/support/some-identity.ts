let made = 0

/** Who a process is among those that share the work; each later one of a name takes the earlier one's place. */
export function someIdentity(name = 'test') {
  return { id: `${Date.now().toString(36)}-${String(made++).padStart(4, '0')}`, name }
}
