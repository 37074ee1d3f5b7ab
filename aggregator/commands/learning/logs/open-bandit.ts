import { parseTime } from '@slotstream/protocol'
import { type Impression, type LineReader, LogError } from './impression.js'

const NEEDED = ['timestamp', 'item_id', 'position', 'click'] as const

/**
 * Creates a reader of the format of the Open Bandit Dataset (Saito et al., https://arxiv.org/abs/2008.07146): plain
 * fields, an item shown a line. Items are named `item-N`, as by `npm run replay`; columns `user_feature_…` are the
 * context.
 */
export function createOpenBanditReader(): LineReader {
  let columns: string[] | undefined
  let line = 0
  const fault = (what: string) => new LogError(`line ${line}: ${what}`)

  function readHeader(fields: string[]): void {
    const missing = NEEDED.filter(name => !fields.includes(name))
    if (missing.length > 0) throw fault(`there is no column ${missing.join(', ')}`)
    columns = fields
  }

  function impressionOf(fields: string[]): Impression {
    if (fields.length !== columns!.length)
      throw fault(`it has ${fields.length} fields, the header ${columns!.length}: is the file complete?`)
    const field = (name: string) => fields[columns!.indexOf(name)]!
    const at = parseTime(field('timestamp'))
    if (at === undefined) throw fault('timestamp is not a time such as 2019-11-24 00:00:00+00:00')
    if (!/^\d+$/.test(field('item_id'))) throw fault('item_id is not a whole number')
    const position = Number(field('position'))
    if (!Number.isInteger(position) || position < 1) throw fault('position is not a whole number from 1')
    if (!/^[01]$/.test(field('click'))) throw fault('click is not 0 or 1')
    const context = columns!.flatMap((name, index) =>
      name.startsWith('user_feature_') ? [[name, fields[index]!] as const] : [],
    )
    const reward = Number(field('click'))
    return { contentId: `item-${Number(field('item_id'))}`, position, at, reward, context: Object.fromEntries(context) }
  }

  return {
    read(text) {
      line++
      if (text === '') return []
      const fields = text.split(',')
      if (columns) return [impressionOf(fields)]
      readHeader(fields)
      return []
    },
  }
}
