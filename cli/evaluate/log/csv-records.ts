import { isAscii } from 'node:buffer'
import { CommandError } from '@slotstream/tracking-plan'
import { createJsonRecords } from './json-records.js'
import { delimiterOf, Splitter } from './split-record.js'

/** Longest record, in characters: beyond it, a quote was not closed. */
const MAX_RECORD = 4 * 2 ** 20

const NEWLINE = 10

/**
 * Reads records of CSV (RFC 4180), or lines of JSON, as they come, without holding the rest. Quoted fields may hold
 * commas, quotes and ends of lines. Commas may be semicolons or tabs.
 *
 * @param fieldCountOf returns, by the names of columns, how many fields are wanted of each record
 * @param onRecord is called with the fields, up to the last that is wanted, and the number of the record, from 1
 * @throws CommandError
 */
export async function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  fieldCountOf: (header: string[]) => number,
  onRecord: (fields: string[], record: number) => void,
): Promise<void> {
  const splitter = new Splitter()
  let record = 0
  let columns = 0
  const take = (fields: string[]) => {
    if (fields.length === 1 && fields[0] === '') return
    record++
    if (record === 1) {
      columns = fields.length
      splitter.fieldCount = fieldCountOf(fields)
      return
    }
    if (fields.length < Math.min(splitter.fieldCount, columns))
      throw new CommandError(`${file}, record ${record}: it must have ${columns} fields. Is the file complete?`)
    onRecord(fields, record)
  }
  const takeAll = (text: string, isLast: boolean): string => {
    splitter.begin(text, isLast)
    for (let fields = splitter.next(); fields; fields = splitter.next()) take(fields)
    if (splitter.trouble) throw new CommandError(`${file}, record ${record + 1}: ${splitter.trouble}`)
    return splitter.rest()
  }
  const json = createJsonRecords(file, fieldCountOf, onRecord)
  let isJson: boolean | undefined
  let rest = ''
  for await (const chunk of wholeLines(chunks)) {
    const piece = textOf(chunk)
    const text = isJson === undefined ? piece.replace(/^\uFEFF/, '') : piece
    if (isJson === undefined && text.trim() !== '') {
      isJson = text.trimStart().startsWith('{')
      splitter.delimiter = delimiterOf(text)
    }
    if (isJson) {
      json.read(text)
      continue
    }
    // What is joined is slower to read than what is not.
    rest = takeAll(rest === '' ? text : rest + text, false)
    if (rest.length > MAX_RECORD)
      throw new CommandError(
        `${file}, record ${record + 1}: it is longer than ${MAX_RECORD} characters: is a quote not closed?`,
      )
  }
  if (isJson) return
  takeAll(rest, true)
  if (record === 0) throw new CommandError(`${file} is empty`)
}

/** Decodes whole lines. ASCII, which most logs are, takes a tenth of the time of UTF-8 as it may be. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
}

/** Moves the bytes after the last end of a line to the piece after it, so that records are seldom cut in two. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let cut = new Uint8Array(0)
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE) + 1
    const whole = joined(cut, chunk.subarray(0, end))
    cut = end > 0 ? chunk.slice(end) : joined(cut, chunk)
    if (end > 0) yield whole
    if (cut.length > MAX_RECORD) {
      yield cut
      cut = new Uint8Array(0)
    }
  }
  yield cut
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
