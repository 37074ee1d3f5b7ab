import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isCount, isText, misfit } from '../wire/checks/parse-stored.js'

/** A message of a stream that a role can't process, stored until an operator replays or drops it. */
export interface DeadLetter {
  /** The role that gave up on it. */
  role: DeadLetterRole
  /** Where it was: stream, sequence and subject, and when it was stored there, ISO 8601. */
  stream: string
  seq: number
  subject: string
  storedAt: string
  /** `none`: too large for a letter, or gone from the stream when it was to be kept; the stream may still have it. */
  encoding: 'text' | 'base64' | 'none'
  payload: string
  error: string
  /** How often it was tried. An error that every try would repeat needs no second one. */
  attempts: number
  /** Version of the code that failed. */
  version: string
  /** When it was given up, ISO 8601. */
  failedAt: string
}

export type DeadLetterRole = 'profiles' | 'warehouse'

/** The stream of dead letters. Nothing leaves it by age or size: each waits for a decision. */
export const DEAD_LETTERS = { name: 'DEAD_LETTERS', subject: 'dead' } as const

/** Bytes of a letter's payload at most, so that the letter itself is below the broker's usual limit of 1 MB. */
const MAX_PAYLOAD_BYTES = 700_000

/**
 * Returns the subject of a letter, the same whenever the same message fails again. The stream keeps one letter per
 * subject, so that a crash between the letter and the position that moves past it makes no second one. The time tells
 * apart messages of a stream whose sequences began again.
 */
export function deadLetterSubject({ role, stream, seq, storedAt }: Omit<DeadLetter, 'payload' | 'encoding'>): string {
  return `${DEAD_LETTERS.subject}.${role}.${stream}.${seq}-${Date.parse(storedAt) || 0}`
}

/** Parses a letter as its stream has it. */
export function parseDeadLetter(raw: unknown): Check<DeadLetter> {
  if (!isObject(raw)) return misfit('a letter must be a JSON object')
  for (const field of ['stream', 'subject', 'storedAt', 'payload', 'error', 'version', 'failedAt'] as const)
    if (!isText(raw[field])) return misfit(`${field} is not text`)
  if (raw.role !== 'profiles' && raw.role !== 'warehouse') return misfit('role is none that gives up on messages')
  if (raw.encoding !== 'text' && raw.encoding !== 'base64' && raw.encoding !== 'none')
    return misfit('encoding is unknown')
  if (!isCount(raw.seq) || !isCount(raw.attempts)) return misfit('seq or attempts is not a whole number from 0')
  return { ok: true, value: raw as unknown as DeadLetter }
}

/** Returns how a letter carries the bytes of its message: as they read if they are UTF-8, else in Base64. */
export function encodePayload(data: Uint8Array | undefined): Pick<DeadLetter, 'encoding' | 'payload'> {
  if (!data) return { encoding: 'none', payload: '' }
  const text = utf8(data)
  const fits = (payload: string) => new TextEncoder().encode(JSON.stringify(payload)).length <= MAX_PAYLOAD_BYTES
  if (text !== undefined && fits(text)) return { encoding: 'text', payload: text }
  const base64 = base64Of(data)
  return base64.length <= MAX_PAYLOAD_BYTES
    ? { encoding: 'base64', payload: base64 }
    : { encoding: 'none', payload: '' }
}

/** Returns the bytes of the message; undefined when the letter does not carry them. */
export function decodePayload({ encoding, payload }: Pick<DeadLetter, 'encoding' | 'payload'>): Uint8Array | undefined {
  if (encoding === 'none') return undefined
  if (encoding === 'text') return new TextEncoder().encode(payload)
  return Uint8Array.from(atob(payload), character => character.charCodeAt(0))
}

function utf8(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return undefined
  }
}

function base64Of(data: Uint8Array): string {
  let binary = ''
  for (const byte of data) binary += String.fromCharCode(byte)
  return btoa(binary)
}
