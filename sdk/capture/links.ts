/** Files that browsers save or open outside the page, by the ending of their name. */
const FILES =
  /\.(pdf|xlsx?|docx?|pptx?|od[tsp]|csv|tsv|txt|rtf|zip|rar|7z|gz|tgz|tar|dmg|pkg|exe|msi|deb|rpm|apk|iso|mp3|wav|ogg|mp4|mov|avi|webm|mkv|epub|mobi|ics)$/i

/** A link that a click follows. */
export interface Link {
  element: HTMLAnchorElement
  /** URL without query and fragment, which may contain private things: a signature, a search, an e-mail address. */
  url: string
  host: string
  /** Name of the file that the link downloads, if it does. */
  file: string | undefined
}

/**
 * The link that a click with the left or the middle button follows, also inside a shadow root; undefined for everything
 * else, and for what is marked `data-no-track`.
 */
export function followedLink(event: Event): Link | undefined {
  if ((event as MouseEvent).button > 1) return undefined
  const path = event.composedPath() as Partial<HTMLAnchorElement>[]
  const element = path.find(({ localName, href }) => localName === 'a' && typeof href === 'string' && href)
  if (!element || path.some(({ dataset }) => dataset?.noTrack !== undefined)) return undefined
  const { host = '', protocol, origin, pathname = '', download } = element as HTMLAnchorElement
  if (!/^https?:$/.test(protocol ?? '')) return undefined
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  const file = (element as Element).hasAttribute('download') ? download || name : FILES.test(name) ? name : undefined
  return { element: element as HTMLAnchorElement, url: `${origin}${pathname}`, host, file }
}
