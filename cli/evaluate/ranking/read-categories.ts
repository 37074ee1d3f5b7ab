import { CommandError } from '@slotstream/tracking-plan'
import { fieldsOf } from './read-interactions.js'

/** Genres of MovieLens 100k: each a field with 0 or 1, behind id, title, dates and URL. */
const GENRES = 19
const MOVIE_FIELDS = 5 + GENRES

/**
 * Reads the categories of items: lines of item and categories, or MovieLens' `u.item`.
 *
 * @param name of the file, for errors
 * @throws CommandError naming the line that cannot be read
 */
export function readCategories(text: string, name: string): Map<string, string[]> {
  const categories = new Map<string, string[]>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const [item, ...fields] = fieldsOf(line)
    if (!item || fields.length === 0)
      throw new CommandError(`${name}, line ${index + 1}: an item and its categories are expected`)
    categories.set(item, genresOf(fields) ?? fields.filter(field => field !== ''))
  }
  return categories
}

function genresOf(fields: readonly string[]): string[] | undefined {
  const flags = fields.slice(-GENRES)
  if (fields.length !== MOVIE_FIELDS - 1 || !flags.every(flag => flag === '0' || flag === '1')) return undefined
  return flags.flatMap((flag, genre) => (flag === '1' ? [`genre ${genre}`] : []))
}
