import { followedLink } from '../../capture/elements/links.js'
import { safeText } from '../../capture/elements/safe-text.js'
import type { PluginApi } from '../../client/plugin-api.js'

/** Tracks `File Downloaded` {url, name, extension, text} when a visitor follows a link to a file. */
export function downloads({ track, listeners }: PluginApi): () => void {
  const follow = (event: Event) => {
    const link = followedLink(event)
    if (!link?.file) return
    const { element, url, file: name } = link
    const [, extension = ''] = /\.(\w+)$/.exec(name) ?? []
    track('File Downloaded', { url, name, extension: extension.toLowerCase(), text: safeText(element) })
  }
  for (const type of ['click', 'auxclick']) listeners.on(window, type, follow, { capture: true })
  return () => {}
}
