import { unescaped } from './unescaped.js'

/**
 * Length from which a quoted field is compared with the one above it: long ones are often equal, and slow to unquote.
 */
const LONG = 40

/** Splits a text that comes in pieces into records of CSV and their fields. */
export class Splitter {
  /** Number of fields that are read of a record. Those after them may be left out. Default: all */
  fieldCount = Number.POSITIVE_INFINITY
  /** Fault of the record after the last one that was returned. */
  trouble: string | undefined
  /** Sign between fields. Behind a tab, what is not quoted has escapes, as ClickHouse writes TSV. */
  delimiter = ','
  #text = ''
  #isLast = false
  /** Where the next record begins. */
  #at = 0
  /** Where the next quote is, as far as is known; -1: there is none. */
  #quote = 0
  /** By column: the last long quoted field as it is written, and its value. */
  readonly #above: { raw: string; value: string }[] = []

  /**
   * Begins with a piece.
   *
   * @param isLast whether nothing comes after it
   */
  begin(text: string, isLast: boolean): void {
    this.#text = text
    this.#isLast = isLast
    this.#at = 0
    this.#quote = text.indexOf('"')
  }

  /** Returns the fields of the next record; undefined where it is not complete in this piece. */
  next(): string[] | undefined {
    const text = this.#text
    if (this.#at >= text.length) return undefined
    if (this.#quote >= 0 && this.#quote < this.#at) this.#quote = text.indexOf('"', this.#at)
    const end = this.#endOfLine(this.#at)
    if (end === undefined) return undefined
    return this.#quote < 0 || this.#quote > end ? this.#plain(end) : this.#quoted()
  }

  /** Returns what is left of the piece. */
  rest(): string {
    return this.#text.slice(this.#at)
  }

  #endOfLine(start: number): number | undefined {
    const newline = this.#text.indexOf('\n', start)
    if (newline >= 0) return newline
    return this.#isLast ? this.#text.length : undefined
  }

  #withoutReturn(start: number, end: number): number {
    return end > start && this.#text[end - 1] === '\r' ? end - 1 : end
  }

  #plain(end: number): string[] {
    const fields: string[] = []
    const stop = this.#withoutReturn(this.#at, end)
    let start = this.#at
    while (fields.length < this.fieldCount) {
      const comma = this.#text.indexOf(this.delimiter, start)
      if (comma < 0 || comma >= stop) {
        fields.push(this.#plainValue(start, stop))
        break
      }
      fields.push(this.#plainValue(start, comma))
      start = comma + 1
    }
    this.#at = end + 1
    return fields
  }

  #quoted(): string[] | undefined {
    const text = this.#text
    const fields: string[] = []
    let place = this.#at
    for (;;) {
      const end = text[place] === '"' ? this.#endOfQuoted(place, fields) : this.#endOfPlain(place, fields)
      if (end === undefined) {
        if (this.#isLast) this.trouble = 'a quote is not closed'
        return undefined
      }
      place = end
      if (text[place] !== this.delimiter) break
      place++
    }
    if (text[place] === '\r') place++
    if (place >= text.length && !this.#isLast) return undefined
    if (place < text.length && text[place] !== '\n') {
      this.trouble = `a field goes on after its quote: ${text.slice(this.#at, place + 1).slice(-40)}`
      return undefined
    }
    this.#at = place + 1
    return fields
  }

  #plainValue(start: number, end: number): string {
    const value = this.#text.slice(start, end)
    return this.delimiter === '\t' && value.includes('\\') ? unescaped(value) : value
  }

  /** Adds an unquoted field, and returns where it ends; undefined: not in this piece. */
  #endOfPlain(start: number, fields: string[]): number | undefined {
    const end = this.#endOfLine(start)
    if (end === undefined) return undefined
    const stop = this.#withoutReturn(start, end)
    const comma = this.#text.indexOf(this.delimiter, start)
    const last = comma >= 0 && comma < stop ? comma : stop
    fields.push(this.#plainValue(start, last))
    return last
  }

  /** Adds a quoted field, and returns where it ends; undefined: not in this piece. */
  #endOfQuoted(start: number, fields: string[]): number | undefined {
    const text = this.#text
    const above = this.#above[fields.length]
    if (above) {
      const end = start + above.raw.length
      // A quote after it would belong to it. Comparing a slice takes a fifth of the time of `startsWith`.
      if (`${this.delimiter}\r\n`.includes(text[end] ?? '"') && text.slice(start, end) === above.raw) {
        fields.push(above.value)
        return end
      }
    }
    let close = text.indexOf('"', start + 1)
    while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
    if (close < 0 || (close + 1 === text.length && !this.#isLast)) return undefined
    const inside = text.slice(start + 1, close)
    const value = inside.includes('"') ? inside.replaceAll('""', '"') : inside
    if (inside.length >= LONG) this.#above[fields.length] = { raw: `"${inside}"`, value }
    fields.push(value)
    return close + 1
  }
}

/** Returns the sign that stands between the names of columns most often: a comma, a semicolon or a tab. */
export function delimiterOf(text: string): string {
  const header = text.slice(0, (text.indexOf('\n') + 1 || text.length + 1) - 1).replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t'].map(sign => ({ sign, count: header.split(sign).length }))
  return counts.reduce((most, each) => (each.count > most.count ? each : most)).sign
}
