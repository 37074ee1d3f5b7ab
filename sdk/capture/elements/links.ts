/** Files that browsers save or open outside the page, by the ending of their name. */
const FILES =
  /\.(pdf|xlsx?|docx?|pptx?|od[tsp]|csv|tsv|txt|rtf|zip|rar|7z|gz|tgz|tar|dmg|pkg|exe|msi|deb|rpm|apk|iso|mp3|wav|ogg|mp4|mov|avi|webm|mkv|epub|mobi|ics)$/i

/** A link that a click follows: of text, of an area in an image, or of an SVG. */
export interface Link {
  element: Element
  /** URL as it is written, with query and fragment. */
  href: URL
  /** URL without query and fragment, which may contain private things: a signature, a search, an e-mail address. */
  url: string
  host: string
  /** Name of the file that the link downloads, if it does. */
  file: string | undefined
}

/**
 * Returns the link that a click with the left or the middle button follows, also inside a shadow root; undefined for
 * everything else, and for what is marked `data-no-track`.
 */
export function followedLink(event: Event): Link | undefined {
  if ((event as MouseEvent).button > 1) return undefined
  const path = event.composedPath() as Partial<HTMLElement>[]
  const element = path.find(node => /^(a|area)$/.test(node.localName ?? '') && urlOf(node as Element)) as
    | Element
    | undefined
  const href = element && urlOf(element)
  if (!href || path.some(({ dataset }) => dataset?.noTrack !== undefined)) return undefined
  const { host, protocol, origin, pathname } = href
  if (!/^https?:$/.test(protocol)) return undefined
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  const download = element.getAttribute('download')
  const file = download !== null ? download || name : FILES.test(name) ? name : undefined
  return { element, href, url: `${origin}${pathname}`, host, file }
}

/** Returns where a link leads; that of an SVG may have an older name. */
function urlOf(element: Element): URL | undefined {
  const text = element.getAttribute('href') ?? element.getAttributeNS('http://www.w3.org/1999/xlink', 'href')
  try {
    return text === null ? undefined : new URL(text, element.baseURI)
  } catch {
    return undefined
  }
}
