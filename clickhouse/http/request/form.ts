import type { ExternalTable } from '../../engine/connections/external-tables.js'
import { ClickHouseException } from '../../errors.js'
import type { Guard } from '../../guard/guard.js'

/** Form fields of a multipart body, and external tables among them. */
const MAX_FORM_FIELDS = 2_000
const MAX_TABLES = 16

/**
 * Formats that rows of an external table may have: those that hold values alone, neither expressions, as Values does,
 * nor schemas from elsewhere, nor types of their own, as Native does, and that libraries of others don't read.
 */
const FORMATS = new Map(
  `TabSeparated TabSeparatedRaw TabSeparatedWithNames TabSeparatedWithNamesAndTypes TSV TSVRaw TSVWithNames
  TSVWithNamesAndTypes CSV CSVWithNames CSVWithNamesAndTypes JSONEachRow JSONLines NDJSON JSONStringsEachRow
  JSONCompactEachRow JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes JSONCompactStringsEachRow
  RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes`
    .split(/\s+/)
    .map(name => [name.toLowerCase(), name]),
)

/**
 * Types whose binary values say of which type they are, also of states of functions, which only the engine may write.
 */
const TYPED_VALUES = /\b(?:Dynamic|JSON)\b/i
const IN_QUOTES = /`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'/gs

/** A form as ClickHouse's HTTP interface takes it. */
export interface Form {
  /** The URL's parameters with the form's: `@clickhouse/client` sends long ones so. */
  search: URLSearchParams
  tables: ExternalTable[]
}

/**
 * Reads a multipart body: its fields are parameters, its files the rows of external tables, described by the
 * parameters `NAME_structure` or `NAME_types`, and `NAME_format` (default: TabSeparated).
 *
 * Source: https://clickhouse.com/docs/engines/table-engines/special/external-data
 *
 * @param maxFieldBytes what the fields may have together, without the files
 * @throws ClickHouseException QUERY_IS_TOO_LARGE (223), BAD_ARGUMENTS (36), UNKNOWN_FORMAT (73), ACCESS_DENIED (497),
 *   or INCORRECT_DATA (117) for what is no form
 */
export async function readForm(
  url: URLSearchParams,
  body: Buffer,
  contentType: string,
  guard: Pick<Guard, 'columnsOf'>,
  maxFieldBytes: number,
): Promise<Form> {
  checkFields(body)
  const form = await parse(body, contentType)
  const search = new URLSearchParams(url)
  const files: [name: string, file: File][] = []
  let bytes = 0
  for (const [name, value] of form) {
    if (typeof value === 'string') {
      bytes += Buffer.byteLength(value)
      search.set(name, value)
    } else files.push([name, value])
  }
  if (bytes > maxFieldBytes)
    throw new ClickHouseException(223, 'QUERY_IS_TOO_LARGE', `The form's fields have more than ${maxFieldBytes} bytes`)
  if (files.length > MAX_TABLES) throw wrong(`${files.length} external tables: ${MAX_TABLES} are the most`)
  const tables: ExternalTable[] = []
  for (const [name, file] of files) {
    if (tables.some(table => table.name === name)) throw wrong(`there are two external tables ${name}`)
    tables.push({ ...describe(name, search, guard), rows: Buffer.from(await file.arrayBuffer()) })
  }
  return { search, tables }
}

/** Takes what describes a table out of the parameters: it is no setting. */
function describe(name: string, search: URLSearchParams, guard: Pick<Guard, 'columnsOf'>): Omit<ExternalTable, 'rows'> {
  if (!/^[A-Za-z_]\w{0,63}$/.test(name))
    throw wrong(`${JSON.stringify(name.slice(0, 64))} is not the name of an external table: letters, digits and _`)
  const take = (what: string): string | undefined => {
    const value = search.get(`${name}_${what}`) ?? undefined
    search.delete(`${name}_${what}`)
    return value
  }
  const [structure, types, formatName] = [take('structure'), take('types'), take('format') ?? 'TabSeparated']
  const format = FORMATS.get(formatName.toLowerCase())
  if (format === undefined) {
    throw new ClickHouseException(
      73,
      'UNKNOWN_FORMAT',
      `${name}_format: ${JSON.stringify(formatName.slice(0, 64))} is not a format of external tables. There are ${[...FORMATS.values()].join(', ')}`,
    )
  }
  if (structure === undefined && types === undefined)
    throw wrong(`the external table ${name} needs ${name}_structure, as in a UInt8, b String`)
  const columns = guard.columnsOf(structure !== undefined ? { structure } : { types: types ?? '' })
  if (format.startsWith('RowBinary') && TYPED_VALUES.test(columns.replace(IN_QUOTES, '')))
    throw wrong(`${name} has values of JSON or Dynamic, which ${format} cannot have here: send JSONEachRow`)
  return { name, format, columns }
}

async function parse(body: Buffer, contentType: string): Promise<FormData> {
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  } catch (error) {
    throw new ClickHouseException(117, 'INCORRECT_DATA', 'Request body is not valid multipart/form-data', {
      cause: error,
    })
  }
}

/** Before anything is made of them: each field has this header. */
function checkFields(body: Buffer): void {
  let fields = 0
  const header = 'form-data'
  for (let at = body.indexOf(header); at >= 0; at = body.indexOf(header, at + header.length)) fields++
  if (fields > MAX_FORM_FIELDS)
    throw new ClickHouseException(223, 'QUERY_IS_TOO_LARGE', `The form has more than ${MAX_FORM_FIELDS} fields`)
}

function wrong(what: string): ClickHouseException {
  return new ClickHouseException(36, 'BAD_ARGUMENTS', `External tables: ${what}`)
}
