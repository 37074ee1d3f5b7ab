/**
 * Tells whether a host is one of these domains or below one, without regard to its port unless a domain names one.
 *
 * @param domains the option `linkDomains`: a list, or a text with spaces or commas between them
 */
export function isUnder(host: string, domains: string | readonly string[] = ''): boolean {
  return String(domains)
    .toLowerCase()
    .split(/[\s,]+/)
    .some(domain => domain && [host, host.replace(/:\d+$/, '')].some(name => `.${name}`.endsWith(`.${domain}`)))
}
