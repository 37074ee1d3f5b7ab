import { ERROR_STATUS, type ErrorCode } from '@slotstream/protocol'

/** Part of an OpenAPI document. Loose on purpose: the official schema checks the whole in a test. */
export type Part = Record<string, unknown>

/** Operations by path and method, as OpenAPI's `paths`. */
export type Paths = Record<string, Part>

export const ref = (schema: string): Part => ({ $ref: `#/components/schemas/${schema}` })

/** Returns a body or answer of JSON. */
export const json = (schema: Part): Part => ({ content: { 'application/json': { schema } } })

/** Returns an answer of JSON: status 200. */
export const ok = (description: string, schema: Part): Part => ({ 200: { description, ...json(schema) } })

/** Returns an answer that isn't JSON: status 200. */
export const file = (description: string, mediaType: string): Part => ({
  200: { description, content: { [mediaType]: { schema: { type: 'string' } } } },
})

/** Answers that are no success, by status; codes of one status share an entry. */
export function failures(...codes: ErrorCode[]): Part {
  const answers: Record<string, { description: string; headers?: Part }> = {}
  for (const code of codes) {
    const status = ERROR_STATUS[code]
    const before = answers[status]?.description
    const retry = status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}
    const description = before ? `${before}, \`${code}\`` : `\`${code}\``
    answers[status] = { description, ...json(ref('Error')), ...retry }
  }
  return answers
}

/** Returns an operation of administrators. `refused`: codes of its failures; default: those that all may have. */
export const adminOperation = (
  summary: string,
  rest: Part,
  answer: Part,
  refused: readonly ErrorCode[] = ADMIN_FAILURES,
): Part => ({
  summary,
  tags: ['admin'],
  security: [{ adminToken: [] }],
  ...rest,
  responses: { ...answer, ...failures(...refused) },
})

const ADMIN_FAILURES: readonly ErrorCode[] = [
  'malformed',
  'unauthorized',
  'not_found',
  'conflict',
  'too_large',
  'rate_limited',
  'unavailable',
]

const RETRY_AFTER: Part = {
  'Retry-After': { description: 'Seconds after which to send the same again.', schema: { type: 'integer' } },
}

/** Returns a parameter of the path. */
export const inPath = (name: string, description: string): Part => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
})

/** Returns a parameter of the query that may be left out. */
export const inQuery = (name: string, description: string): Part => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
})

/** Returns a parameter of the query that must be there. */
export const inQueryAlways = (name: string, description: string): Part => ({
  ...inQuery(name, description),
  required: true,
})

/** Returns a body of JSON that must be there. */
export const body = (schema: Part, description: string): Part => ({
  requestBody: { description, required: true, ...json(schema) },
})

/** Bodies of messages: JSON under any media type that a page may send without a preflight. */
export const messageBody = (schema: Part, description: string): Part => ({
  requestBody: {
    description,
    required: true,
    content: { 'application/json': { schema }, 'text/plain': { schema } },
  },
})
