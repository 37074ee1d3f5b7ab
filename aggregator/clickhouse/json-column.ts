/** Columns of JSON that paths of messages begin with. */
const COLUMNS = ['properties', 'context']

/** A name that is quoted as it is. */
const NAME = /^[A-Za-z0-9_$-]{1,100}$/

/**
 * Writes the path of a value in a message, such as `properties.revenue`, as a column of ClickHouse.
 *
 * @throws RangeError where it is no such path: its text becomes SQL
 */
export function jsonColumn(path: string): string {
  const [column, ...names] = path.split('.')
  if (!COLUMNS.includes(column!) || names.length === 0 || !names.every(name => NAME.test(name)))
    throw new RangeError('a path must be one in properties or context, such as properties.revenue')
  return [column, ...names.map(name => `\`${name}\``)].join('.')
}
