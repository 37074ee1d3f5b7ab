import { randomBytes } from 'node:crypto'

/** Header of an answer that tells by which tag a client knows an error behind rows. */
export const EXCEPTION_TAG_HEADER = 'X-ClickHouse-Exception-Tag'

const TAG_BYTES = 8
/** Longest text of an error in the middle of a result, in bytes, as in ClickHouse. */
const MAX_TEXT_BYTES = 16 * 1024

/** Creates a tag that no result can hold by chance, nor on purpose: it is new for each answer. */
export function makeExceptionTag(): string {
  return randomBytes(TAG_BYTES).toString('hex')
}

/**
 * Returns the bytes that end a result which breaks in the middle: the error between two markers, with its tag and
 * length.
 *
 * Source: https://clickhouse.com/docs/interfaces/http#http_response_codes_caveats
 *
 * @param text error in ClickHouse's form, with a line's end
 */
export function exceptionBlock(text: string, tag: string): Buffer {
  const bytes = Buffer.from(text)
  const shortened =
    bytes.length > MAX_TEXT_BYTES ? Buffer.concat([bytes.subarray(0, MAX_TEXT_BYTES - 1), Buffer.from('\n')]) : bytes
  return Buffer.concat([
    Buffer.from(`\r\n__exception__\r\n${tag}\r\n`),
    shortened,
    Buffer.from(`${shortened.length} ${tag}\r\n__exception__\r\n`),
  ])
}
