/** Codes of `{"error": {"code", "message"}}`, with the HTTP status each is answered with. */
export const ERROR_STATUS = {
  malformed: 400,
  unknown_key: 401,
  unauthorized: 401,
  origin_not_allowed: 403,
  secret_key_required: 403,
  secret_key_in_page: 403,
  preview_ended: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

/** Body of every answer that isn't a success. */
export interface ErrorAnswer {
  error: { code: ErrorCode; message: string }
}
