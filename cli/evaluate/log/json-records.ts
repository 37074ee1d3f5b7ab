import { isObject, parseJson } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'

/** Reads lines of JSON, an object each, as records of fields: the names of the first object are the header. */
export interface JsonRecords {
  /**
   * Reads whole lines.
   *
   * @throws CommandError
   */
  read(text: string): void
}

/**
 * Creates a reader of lines of JSON.
 *
 * @param file names the log in messages
 * @param fieldCountOf returns, by the names in the first object, how many fields are wanted of each
 * @param onRecord is called with the fields as texts, lists and objects as JSON, and the number of the line, from 1
 */
export function createJsonRecords(
  file: string,
  fieldCountOf: (header: string[]) => number,
  onRecord: (fields: string[], record: number) => void,
): JsonRecords {
  let names: string[] | undefined
  let record = 0
  return {
    read(text) {
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue
        record++
        const object = parseJson(line)
        if (!isObject(object))
          throw new CommandError(
            `${file}, record ${record}: it is no JSON object: each line must be one, as FORMAT JSONEachRow writes them`,
          )
        if (!names) {
          const header = Object.keys(object)
          names = header.slice(0, fieldCountOf(header))
        }
        onRecord(
          names.map(name => textOf(object[name])),
          record,
        )
      }
    },
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
