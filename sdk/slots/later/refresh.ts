/** Asks for slots anew, as the function of that name does: of one slot, or of all. It is not told to debuggers. */
export const refresh = (slotId?: string): void =>
  void window.dispatchEvent(new CustomEvent('slotstream:refresh', { detail: slotId }))
