// @ts-check
// Runs before the SDK and before anything is painted: keeps what the SDK reports until the panel's module is there,
// and settles whether the panel is open, so that the page is laid out once.
;(() => {
  /** @type {{ past: { kind: string, detail: unknown }[], listener?: (kind: string, detail: unknown) => void }} */
  const recorder = { past: [] }
  for (const kind of ['captured', 'sent', 'acknowledged', 'retry', 'decision']) {
    window.addEventListener(`slotstream:${kind}`, event => {
      const { detail } = /** @type {CustomEvent} */ (event)
      if (recorder.listener) recorder.listener(kind, detail)
      else recorder.past.push({ kind, detail })
    })
  }
  Object.assign(window, { demoRecorder: recorder })

  let open = window.matchMedia('(min-width: 1100px)').matches
  try {
    const remembered = sessionStorage.getItem('fellbrook-panel')
    if (remembered) open = remembered === 'open'
  } catch {
    // Storage is blocked: the width decides on every page.
  }
  document.documentElement.dataset.panel = open ? 'open' : 'closed'
})()
