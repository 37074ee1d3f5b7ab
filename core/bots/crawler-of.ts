import type { StoredMessage } from '@slotstream/protocol'

/**
 * Returns the name of the crawler that a message is from, where its user agent says so: `context.bot.crawler`, to which
 * only names of crawlers are added. Undefined for all others, also for HTTP libraries and headless browsers: persons,
 * tests and servers have these, too.
 */
export function crawlerOf({ context }: Pick<StoredMessage, 'context'>): string | undefined {
  const bot = context?.bot
  if (typeof bot !== 'object' || bot === null || !('crawler' in bot)) return undefined
  return typeof bot.crawler === 'string' && bot.crawler !== '' ? bot.crawler : undefined
}
