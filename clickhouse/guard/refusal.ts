import { ClickHouseException } from '../errors.js'

/** Returns a refusal of something that leaves the database or the user's part of it; `what` says what to do instead. */
export function denied(what: string): ClickHouseException {
  return new ClickHouseException(497, 'ACCESS_DENIED', `Not enough privileges: ${what}`)
}

/** Returns a refusal of a statement that writes, of a user who only reads. */
export function readOnly(what: string): ClickHouseException {
  return new ClickHouseException(164, 'READONLY', what)
}

/** Returns a refusal of SQL that the guard doesn't understand. */
export function cannotRead(what: string): ClickHouseException {
  return denied(`this statement has ${what}, which can't be checked here: write it in a plainer way`)
}
