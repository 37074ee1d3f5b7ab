/** Notices that nothing is heard any more. */
export interface SilenceNotice {
  /** Takes note that something was heard. */
  heard(): void
  stop(): void
}

/**
 * Looks every `everyMs` milliseconds whether something was heard since the last look; after `looks` in vain in a row it
 * calls `onSilence`, and begins to count again. Looks are counted rather than time: a process that was paused has heard
 * nothing, and looks once when it goes on.
 *
 * @param isListening looks at which it is false don't count
 */
export function noticeSilence(
  { everyMs, looks }: { everyMs: number; looks: number },
  isListening: () => boolean,
  onSilence: () => void,
): SilenceNotice {
  let inVain = 0
  const timer = setInterval(() => {
    inVain = isListening() ? inVain + 1 : 0
    if (inVain < looks) return
    inVain = 0
    onSilence()
  }, everyMs)
  timer.unref()
  return {
    heard() {
      inVain = 0
    },
    stop: () => clearInterval(timer),
  }
}
