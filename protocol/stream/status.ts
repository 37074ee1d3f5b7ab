import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isAbsentOr, isListOf, isText, misfit } from '../wire/checks/parse-stored.js'

/** Request-reply subject on which every process reports how it is; each answers for itself. */
export const STATUS_SUBJECT = 'slotstream.status'

/** How far a role is behind. */
export interface Lag {
  role: string
  stream: string
  /** Null: the role reads the stream as a whole. */
  partition: number | null
  /** Messages not processed yet. */
  messages: number
  /** Age of the oldest of them, in seconds; 0 when there is none. */
  seconds: number
}

/** Something that failed and is being tried again. */
export interface Trouble {
  role: string
  /** The stream that is not loaded, or `clickhouse`. */
  what: string
  /** When it began to fail, ISO 8601. */
  since: string
  /** Failed attempts in a row. */
  attempts: number
  /** The error of the last of them, cut to a line. */
  reason: string
}

/** One value of a metric, as `/metrics` has it, without the prefix `slotstream_`. */
export interface Sample {
  name: string
  labels: Record<string, string | number>
  value: number
}

/** How many messages a visitor sent within a window: at least `messages − error`, at most `messages`. */
export interface HotKey {
  siteId: string
  visitorId: string
  messages: number
  error: number
}

/** How the messages of the last minutes are spread. */
export interface Skew {
  windowSeconds: number
  messages: number
  /** `[partition, messages]`, those with messages only. */
  partitions: [number, number][]
  keys: HotKey[]
}

/** A process's report of itself: the numbers of its `/metrics`, and what is no metric. */
export interface ProcessReport {
  /** `collector`, `aggregator` … */
  part: string
  /** Host and process id. */
  id: string
  version: string
  /** ISO 8601. */
  startedAt: string
  roles: string[]
  lags: Lag[]
  /** Attempts that fail now and are repeated; absent in reports of older versions. */
  troubles?: Trouble[]
  skew?: Skew
  samples: Sample[]
}

/** Parses what came as a report: any program on NATS can answer. */
export function parseReport(raw: unknown): Check<ProcessReport> {
  if (!isObject(raw)) return misfit('a report must be a JSON object')
  for (const field of ['part', 'id', 'version', 'startedAt'] as const)
    if (!isText(raw[field])) return misfit(`${field} is not text`)
  if (!isListOf(raw.roles, isText)) return misfit('roles is not a list of text')
  if (!isListOf(raw.lags, isLag)) return misfit('lags are of another shape')
  if (!isListOf(raw.samples, isSample)) return misfit('samples are of another shape')
  if (!isAbsentOr(raw.troubles, list => isListOf(list, isTrouble))) return misfit('troubles are of another shape')
  if (!isAbsentOr(raw.skew, isSkew)) return misfit('skew is of another shape')
  return { ok: true, value: raw as unknown as ProcessReport }
}

function isLag(raw: unknown): boolean {
  return (
    isObject(raw) &&
    isText(raw.role) &&
    isText(raw.stream) &&
    (raw.partition === null || Number.isInteger(raw.partition)) &&
    Number.isFinite(raw.messages) &&
    Number.isFinite(raw.seconds)
  )
}

function isSample(raw: unknown): boolean {
  return (
    isObject(raw) && isText(raw.name) && isObject(raw.labels) && (typeof raw.value === 'number' || raw.value === null)
  )
}

function isTrouble(raw: unknown): boolean {
  return (
    isObject(raw) &&
    isText(raw.role) &&
    isText(raw.what) &&
    isText(raw.since) &&
    Number.isFinite(raw.attempts) &&
    isText(raw.reason)
  )
}

function isSkew(raw: unknown): boolean {
  return (
    isObject(raw) &&
    Number.isFinite(raw.windowSeconds) &&
    Number.isFinite(raw.messages) &&
    isListOf(raw.partitions, pair => isListOf(pair, Number.isFinite) && pair.length === 2) &&
    isListOf(raw.keys, isHotKey)
  )
}

function isHotKey(raw: unknown): boolean {
  return (
    isObject(raw) &&
    isText(raw.siteId) &&
    isText(raw.visitorId) &&
    Number.isFinite(raw.messages) &&
    Number.isFinite(raw.error)
  )
}
