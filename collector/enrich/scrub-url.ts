/** Text in the place of a value that is private. */
const BLOT = 'redacted'

/** A parameter of a query or of a fragment that is written like one. */
const PARAMETER = /([?&#;])([^=&#;?]+)=([^&#;]*)/g
/** `https://user:password@host` */
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i

/**
 * Returns an address without the values of the named parameters, in the query and in the fragment, and without a user
 * name and password. Everything else, also of an address that is none, stays as it is.
 *
 * @param names in small letters
 */
export function scrubUrl(url: string, names: ReadonlySet<string>): string {
  const plain = url.includes('@') ? url.replace(CREDENTIALS, '$1') : url
  if (!plain.includes('=')) return plain
  return plain.replace(PARAMETER, (match, mark: string, name: string) =>
    names.has(decoded(name)) ? `${mark}${name}=${BLOT}` : match,
  )
}

/**
 * Returns a name as the site's server would read it: `%74oken` is `token`; of `user[email]`, the text in the brackets.
 */
function decoded(name: string): string {
  let plain = name
  try {
    plain = decodeURIComponent(name)
  } catch {
    // A stray percent sign: the name is what it looks like.
  }
  return (/\[([^[\]]+)\]$/.exec(plain)?.[1] ?? plain).trim().toLowerCase()
}
