import { ofDocument } from './of-document.js'

/** Longest wait for the title of a view that a page began by itself, in milliseconds. */
const TITLE_MS = 1_000

/**
 * Runs a function once when the document's title has changed, or after a second: routers set the title after the
 * address. Returns a function that runs it at once, if it has not run.
 */
export function whenTitled(run: () => void): () => void {
  const title = ofDocument('title')
  let isDone = false
  const done = () => {
    if (isDone) return
    isDone = true
    observer.disconnect()
    clearTimeout(timer)
    run()
  }
  const observer = new MutationObserver(() => ofDocument('title') !== title && done())
  observer.observe(ofDocument('head'), { childList: true, characterData: true, subtree: true })
  const timer = setTimeout(done, TITLE_MS)
  return done
}
