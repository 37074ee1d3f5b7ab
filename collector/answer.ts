import type { ServerResponse } from 'node:http'

/** A response; those of the busy routes keep their headers until all are written at once, without a table to look after. */
export interface Answer extends ServerResponse {
  /** Names and values, taking turns. */
  kept?: string[] | undefined
}

/** Sets a header, or keeps it for `sendJson`. */
export function addHeader(response: Answer, name: string, value: string): void {
  if (response.kept) response.kept.push(name, value)
  else response.setHeader(name, value)
}

/** Sets the headers that were kept. */
export function setKept(response: Answer): void {
  const kept = response.kept ?? []
  for (let at = 0; at < kept.length; at += 2) response.setHeader(kept[at]!, kept[at + 1]!)
  response.kept = undefined
}
