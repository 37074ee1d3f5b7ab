/** Settings that read all of a row as it is, numbers as numbers. */
export const AS_RECORDED = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_named_tuples_as_objects: 1,
  output_format_json_quote_denormals: 1,
} as const
