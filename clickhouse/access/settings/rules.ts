import { availableParallelism } from 'node:os'
import { ClickHouseException } from '../../errors.js'
import type { Role } from '../roles.js'

/** The values that a setting may have. */
type Rule = { builders?: true } & (
  | { kind: 'flag' }
  /** A whole number; more than `max` becomes `max`. `zero`: what 0, which often means "no limit", becomes. */
  | { kind: 'number'; min: number; max: number; zero?: number }
  | { kind: 'text'; pattern: RegExp }
)

/** Threads of one query: those of the machine, or 8 where it has fewer. */
const MAX_THREADS = Math.max(8, availableParallelism())
const MAX_ROWS = 1_000_000_000_000_000
/** Rows that a query may handle at a time: ten times ClickHouse's own default. */
const MAX_BLOCK = 655_360

const flags = (names: string): [string, Rule][] => words(names).map(name => [name, { kind: 'flag' }])
const number = (names: string, max: number, min = 0, zero?: number): [string, Rule][] =>
  words(names).map(name => [name, { kind: 'number', min, max, ...(zero !== undefined && { zero }) }])
const builders = (rules: [string, Rule][]): [string, Rule][] =>
  rules.map(([name, rule]) => [name, { ...rule, builders: true }])
const text = (names: string, pattern: RegExp): [string, Rule][] =>
  words(names).map(name => [name, { kind: 'text', pattern }])

/**
 * The settings of users without full rights: how a result looks, what SQL means, and doing less. Neither paths nor
 * schemas nor limits nor anything that writes. Names are those of engine 26.7.
 */
const RULES = new Map<string, Rule>([
  ...flags(`extremes final group_by_use_nulls join_use_nulls any_join_distinct_right_table_keys transform_null_in
    prefer_column_name_to_alias cast_string_to_dynamic_use_inference cast_keep_nullable aggregate_functions_null_for_empty asterisk_include_materialized_columns
    asterisk_include_alias_columns asterisk_include_virtual_columns union_default_mode_is_distinct
    output_format_decimal_trailing_zeros output_format_write_statistics output_format_enable_streaming
    output_format_parallel_formatting output_format_markdown_escape_special_characters
    output_format_csv_serialize_tuple_into_separate_columns output_format_csv_header_serialize_tuple_into_separate_columns
    output_format_csv_crlf_end_of_line output_format_tsv_crlf_end_of_line
    output_format_native_encode_types_in_binary_format output_format_native_write_json_as_string
    output_format_native_use_flattened_dynamic_and_json_serialization
    output_format_binary_encode_types_in_binary_format output_format_binary_write_json_as_string
    output_format_json_quote_64bit_integers output_format_json_quote_denormals output_format_json_quote_decimals
    output_format_json_quote_64bit_floats output_format_json_escape_forward_slashes
    output_format_json_named_tuples_as_objects output_format_json_skip_null_value_in_named_tuples
    output_format_json_array_of_rows output_format_json_validate_utf8 output_format_json_pretty_print
    output_format_json_map_as_array_of_tuples output_format_sql_insert_include_column_names
    output_format_sql_insert_use_replace output_format_sql_insert_quote_names
    output_format_values_escape_quote_with_quote
    output_format_parquet_string_as_string output_format_parquet_fixed_string_as_fixed_byte_array
    output_format_parquet_parallel_encoding output_format_parquet_write_page_index
    output_format_parquet_write_bloom_filter output_format_parquet_datetime_as_uint32
    output_format_parquet_date_as_uint16 output_format_parquet_enum_as_byte_array output_format_parquet_write_checksums
    output_format_parquet_geometadata output_format_parquet_use_custom_encoder
    output_format_parquet_compliant_nested_types output_format_parquet_unsupported_types_as_binary
    output_format_arrow_low_cardinality_as_dictionary output_format_arrow_use_signed_indexes_for_dictionary
    output_format_arrow_use_64_bit_indexes_for_dictionary output_format_arrow_string_as_string
    output_format_arrow_fixed_string_as_fixed_byte_array output_format_arrow_parallel_encoding
    output_format_arrow_date_as_uint16 output_format_arrow_uuid_as_fixed_byte_array
    output_format_arrow_variant_as_string output_format_arrow_unsupported_types_as_binary
    output_format_arrow_use_native_writer output_format_orc_string_as_string
    output_format_pretty_row_numbers output_format_pretty_use_nbsp_for_padding
    output_format_pretty_highlight_digit_groups output_format_pretty_highlight_trailing_spaces
    output_format_pretty_multiline_fields output_format_pretty_fallback_to_vertical
    output_format_pretty_named_tuples_as_json output_format_pretty_display_footer_column_names`),
  ...number('max_threads', MAX_THREADS, 1, MAX_THREADS),
  ...number('max_block_size preferred_block_size_bytes', MAX_BLOCK, 1, MAX_BLOCK),
  ...number(
    `limit offset max_rows_to_read max_bytes_to_read max_rows_to_group_by max_rows_in_join max_bytes_in_join
    max_rows_to_sort max_bytes_to_sort max_rows_in_distinct max_bytes_in_distinct max_rows_in_set max_bytes_in_set
    max_columns_to_read max_temporary_columns`,
    MAX_ROWS,
  ),
  ...number('format_binary_max_string_size', 1_073_741_824, 0, 1_073_741_824),
  ...number(
    `output_format_pretty_max_rows output_format_pretty_max_column_pad_width output_format_pretty_max_value_width
    output_format_pretty_max_column_name_width_cut_to output_format_pretty_max_column_name_width_min_chars_to_cut
    output_format_pretty_max_value_width_apply_for_single_value output_format_pretty_single_large_number_tip_threshold
    output_format_pretty_display_footer_column_names_min_rows
    output_format_pretty_fallback_to_vertical_max_rows_per_chunk
    output_format_pretty_fallback_to_vertical_min_table_width output_format_pretty_fallback_to_vertical_min_columns`,
    10_000_000,
  ),
  ...number('output_format_pretty_squash_consecutive_ms output_format_pretty_squash_max_wait_ms', 1_000),
  ...number('output_format_parquet_row_group_size', 1_000_000, 1_000),
  ...number('output_format_parquet_row_group_size_bytes', 536_870_912, 1_048_576),
  ...number('output_format_parquet_data_page_size output_format_parquet_max_dictionary_size', 1_048_576, 4_096),
  ...number('output_format_parquet_batch_size', 65_536, 16),
  ...number('output_format_parquet_bloom_filter_flush_threshold_bytes', 134_217_728, 1),
  ...number('output_format_sql_insert_max_batch_size', MAX_BLOCK, 1),
  ...number('output_format_orc_row_index_stride output_format_orc_compression_block_size', 1_048_576, 1_000),
  ...text('output_format_pretty_color output_format_pretty_glue_chunks', /^(?:0|1|auto)$/),
  ...text('output_format_pretty_grid_charset', /^(?:UTF-8|ASCII)$/),
  ...text('bool_true_representation bool_false_representation', /^[\x20-\x7e]{1,32}$/),
  ...text('format_csv_null_representation format_tsv_null_representation', /^[\x20-\x7e]{0,32}$/),
  ...text('format_csv_delimiter', /^[\t\x20-\x7e]$/),
  ...text('output_format_sql_insert_table_name', /^[\w.]{1,128}$/),
  ...text('output_format_orc_writer_time_zone_name session_timezone', /^[A-Za-z0-9_+/-]{0,64}$/),
  ...text('output_format_arrow_compression_method', /^(?:none|lz4_frame|zstd)$/),
  ...text('output_format_parquet_compression_method', /^(?:none|snappy|lz4|brotli|zstd|gzip)$/),
  ...text('output_format_orc_compression_method', /^(?:none|lz4|snappy|zstd|zlib)$/),
  ...text('output_format_parquet_version', /^(?:1\.0|2\.4|2\.6|2\.latest)$/),
  ...text('date_time_output_format', /^(?:simple|iso|unix_timestamp)$/),
  ...text('date_time_input_format', /^(?:basic|best_effort|best_effort_us)$/),
  ...text('join_algorithm', /^[a-z_]{1,32}(?:,[a-z_]{1,32}){0,7}$/),
  ...text('union_default_mode intersect_default_mode except_default_mode', /^(?:ALL|DISTINCT)?$/),
  ...text(
    `read_overflow_mode result_overflow_mode group_by_overflow_mode join_overflow_mode sort_overflow_mode
    distinct_overflow_mode set_overflow_mode`,
    /^(?:throw|break)$/,
  ),
  ...text('totals_mode', /^(?:before_having|after_having_(?:inclusive|exclusive|auto))$/),
  ...text('distributed_product_mode', /^(?:deny|local|global|allow)$/),
  // For builders alone: how what they write is written.
  ...builders(
    flags(`allow_nondeterministic_mutations insert_allow_materialized_columns optimize_on_insert flatten_nested
      data_type_default_nullable input_format_null_as_default input_format_defaults_for_omitted_fields
      input_format_skip_unknown_fields input_format_csv_empty_as_default input_format_with_names_use_header
      input_format_with_types_use_header input_format_json_named_tuples_as_objects
      input_format_native_allow_types_conversion throw_if_no_data_to_insert`),
  ),
  ...builders(number('mutations_sync alter_sync lightweight_deletes_sync', 3)),
  ...builders(number('max_insert_threads', MAX_THREADS, 1, MAX_THREADS)),
  ...builders(number('max_partitions_per_insert_block', 1_000, 1, 1_000)),
  ...builders(text('lightweight_delete_mode', /^(?:alter_update|lightweight_update|lightweight_update_force)$/)),
])

/** Lists the names of the settings that a role may change. */
export function settableNames(role: Role): string[] {
  return [...RULES].filter(([, rule]) => !rule.builders || role === 'builder').map(([name]) => name)
}

/** Tells whether there is a setting of this name that some role may change. */
export function isKnownSetting(name: string): boolean {
  return RULES.has(name)
}

/**
 * Bounds a value of a setting that the role may change; undefined where it may not.
 *
 * @throws ClickHouseException CANNOT_PARSE_NUMBER (72) or BAD_ARGUMENTS (36) for a value that the setting cannot have
 */
export function boundedByRule(name: string, value: string, role: Role): string | undefined {
  const rule = RULES.get(name)
  return rule && (!rule.builders || role === 'builder') ? boundedValue(name, value, rule) : undefined
}

function boundedValue(name: string, value: string, rule: Rule): string {
  if (rule.kind === 'number') return boundedNumber(name, value, rule)
  if (rule.kind === 'flag' ? /^(?:[01]|true|false)$/i.test(value) : rule.pattern.test(value)) return value
  throw new ClickHouseException(36, 'BAD_ARGUMENTS', `The setting ${name} doesn't take this value`)
}

function boundedNumber(name: string, value: string, { min, max, zero }: Rule & { kind: 'number' }): string {
  if (/^auto(?:\(\d{1,4}\))?$/.test(value) && zero !== undefined) return String(zero)
  if (!/^\d{1,20}$/.test(value))
    throw new ClickHouseException(72, 'CANNOT_PARSE_NUMBER', `Cannot parse the setting ${name}: send a whole number`)
  const requested = Number(value)
  if (requested === 0 && zero !== undefined) return String(zero)
  return String(Math.min(Math.max(requested, min), max))
}

function words(names: string): string[] {
  return names.trim().split(/\s+/)
}
