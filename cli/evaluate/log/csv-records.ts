import { CommandError } from '@slotstream/tracking-plan'

/** Longest record, in characters: beyond it, a quote was not closed. */
const MAX_RECORD = 4 * 2 ** 20

/**
 * Reads records of CSV (RFC 4180) with the text of a piece at a time, without holding the rest. Quoted fields may hold commas, quotes
 * and ends of lines.
 *
 * @param onRecord is called with the fields up to the last one that is wanted, and the record's number, from 1
 * @param wantedOf the first record: how many fields are wanted of those after it
 * @throws CommandError
 */
export async function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  wantedOf: (header: string[]) => number,
  onRecord: (fields: string[], record: number) => void,
): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  let record = 0
  let wanted = Number.POSITIVE_INFINITY
  let columns = 0
  const take = (line: string) => {
    if (line === '' || line === '\r') return
    record++
    const { fields, count } = line.includes('"') ? splitQuoted(line) : splitPlain(line, wanted)
    if (record === 1) {
      wanted = wantedOf(fields)
      columns = fields.length
      return
    }
    const isShort = fields.length < Math.min(wanted, columns) || (count !== undefined && count !== columns)
    if (isShort)
      throw new CommandError(`${file}, record ${record}: it must have ${columns} fields. Is the file complete?`)
    onRecord(fields, record)
  }
  /** Takes whole lines of a text and returns what is left of it. */
  const takeLines = (text: string): string => {
    let start = 0
    let end = text.indexOf('\n')
    while (end >= 0) {
      let line = text.slice(start, end)
      while (line.includes('"') && isOpen(line)) {
        end = text.indexOf('\n', end + 1)
        if (end < 0) return text.slice(start)
        line = text.slice(start, end)
      }
      take(line)
      start = end + 1
      end = text.indexOf('\n', start)
    }
    return text.slice(start)
  }
  for await (const chunk of chunks) {
    rest = takeLines(rest + decoder.decode(chunk, { stream: true }))
    if (rest.length > MAX_RECORD)
      throw new CommandError(
        `${file}, record ${record + 1}: it has more than ${MAX_RECORD} characters. Is a quote not closed?`,
      )
  }
  rest += decoder.decode()
  if (isOpen(rest)) throw new CommandError(`${file}, record ${record + 1}: a quote is not closed`)
  take(rest)
  if (record === 0) throw new CommandError(`${file} is empty`)
}

/** Whether a quoted field goes on: doubled quotes count twice. */
function isOpen(text: string): boolean {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 1
}

/** Splits a line without quotes, as far as is wanted. `count`: of all fields, where all were split. */
function splitPlain(line: string, wanted: number): { fields: string[]; count: number | undefined } {
  const fields: string[] = []
  let start = 0
  const length = line.endsWith('\r') ? line.length - 1 : line.length
  while (fields.length < wanted) {
    const end = line.indexOf(',', start)
    if (end < 0) {
      fields.push(line.slice(start, length))
      return { fields, count: fields.length }
    }
    fields.push(line.slice(start, end))
    start = end + 1
  }
  return { fields, count: undefined }
}

function splitQuoted(line: string): { fields: string[]; count: number } {
  const fields: string[] = []
  const length = line.endsWith('\r') ? line.length - 1 : line.length
  let at = 0
  while (at <= length) {
    if (line[at] !== '"') {
      const comma = line.indexOf(',', at)
      const end = comma < 0 ? length : comma
      fields.push(line.slice(at, end))
      at = end + 1
      continue
    }
    let end = line.indexOf('"', at + 1)
    while (line[end + 1] === '"') end = line.indexOf('"', end + 2)
    fields.push(line.slice(at + 1, end).replaceAll('""', '"'))
    at = end + 2
  }
  return { fields, count: fields.length }
}
