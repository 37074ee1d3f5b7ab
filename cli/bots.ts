import { UsageError } from './usage-error.js'

/** Ways to treat decisions about browsers that seem to be programs, as the view `programs` has them. */
export const BOTS = ['exclude', 'include'] as const
export type Bots = (typeof BOTS)[number]

/** Writes the SQL condition that a browser of the site `{site:String}` seems to be a program. */
export const IS_PROGRAM = (anonymousId: string) =>
  `(${anonymousId} IN (SELECT anonymous_id FROM slotstream.programs WHERE site_id = {site:String}))`

/**
 * Parses the option `--bots`.
 *
 * @throws UsageError
 */
export function botsOf(text = 'exclude'): Bots {
  const bots = BOTS.find(name => name === text)
  if (bots) return bots
  throw new UsageError(`--bots must be ${BOTS.join(' or ')}, not ${JSON.stringify(text)}`)
}
