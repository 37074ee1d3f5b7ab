import { createRandom, type Random } from '../chaos/random.js'
import { mergesOfMessages } from './merges-of-messages.js'

/** A row of `events`, as far as it matters whose it is. */
export interface HistoryRow {
  site_id: string
  message_id: string
  type: string
  event: string
  anonymous_id: string
  user_id: string
  previous_id: string
  sender: 'public' | 'secret' | 'unsigned'
  session_id: string
  page_view_id: string
  /** Milliseconds since the epoch. */
  timestamp: number
  stream_seq: number
  batch_index: number
}

const SITE = 'shop'
const START = Date.UTC(2026, 2, 1)
const HOUR = 3_600_000

/**
 * Makes what browsers and servers sent, in the order in which it arrived: browsers of one user and of none, shared
 * ones, two tabs at once, messages that came hours late or at the same millisecond, claims without a signature, and
 * servers that know only the user.
 *
 * @param rows number of messages
 */
export function personHistory(seed: number, rows: number): HistoryRow[] {
  const random = createRandom(seed)
  const made: (Omit<HistoryRow, 'stream_seq' | 'batch_index'> & { arrives: number })[] = []
  const browsers = Math.ceil(rows / 40)
  for (let n = 0; made.length < rows; n++) {
    const browser = n % browsers
    if (browser % 10 === 9) made.push(message(random, n, { user_id: `u${random.int(0, 30)}`, sender: 'secret' }))
    else for (const row of visit(random, n, browser)) made.push(row)
  }
  // Two in one message of the stream, now and then.
  let seq = 0
  return made
    .sort((a, b) => a.arrives - b.arrives || (a.message_id < b.message_id ? -1 : 1))
    .map(({ arrives: _, ...row }, index) => {
      const batch_index = index % 3 === 2 ? 1 : 0
      if (batch_index === 0) seq++
      return { ...row, stream_seq: seq, batch_index }
    })
}

function message(random: Random, n: number, fields: Partial<HistoryRow>) {
  const timestamp = fields.timestamp ?? START + random.int(0, 200) * HOUR
  return {
    site_id: SITE,
    message_id: `m${n}-${random.next()}`,
    type: 'track',
    event: 'Tested',
    anonymous_id: '',
    user_id: '',
    previous_id: '',
    sender: 'public' as const,
    session_id: '',
    page_view_id: '',
    ...fields,
    timestamp,
    arrives: timestamp + (random.int(0, 9) === 0 ? random.int(1, 40) * HOUR : random.int(0, 2000)),
  }
}

/** Some messages of a browser, in one session or in two at once, or without one. */
function* visit(random: Random, n: number, browser: number) {
  const kind = ['nobody', 'one', 'one', 'one', 'kiosk', 'kiosk', 'claims', 'sessionless', 'tabs'][browser % 9]!
  const begin = START + random.int(0, 200) * HOUR
  const users =
    kind === 'nobody' ? [''] : kind === 'one' ? ['', `only-${browser}`] : ['', '', 'u1', 'u2', `u${browser}`]
  let user = ''
  for (let step = 0; step < random.int(2, 12); step++) {
    if (random.int(0, 2) === 0) user = random.pick(users)
    const session = kind === 'sessionless' ? '' : kind === 'tabs' ? `s${n}-${step % 2}` : `s${n}`
    const sender = kind === 'claims' && random.int(0, 1) === 0 ? 'unsigned' : 'public'
    const alias = user !== '' && random.int(0, 15) === 0
    yield message(random, n, {
      anonymous_id: browser % 20 === 0 ? `u${browser % 7}` : `b${browser}`,
      user_id: random.int(0, 1) === 0 ? user : '',
      session_id: session,
      sender,
      ...(random.int(0, 3) === 0
        ? { type: 'page', event: '', page_view_id: random.int(0, 1) === 0 ? '' : `p${n}-${random.int(0, 2)}` }
        : {}),
      // Steps of no time at all, so that the place in the stream decides.
      timestamp: begin + Math.floor(step / 2) * 60_000,
      ...(alias ? { type: 'alias', event: '', previous_id: `b${browser + 1}`, user_id: user } : {}),
    })
  }
}

/** A browser's user who is kept apart from it: by an administrator, or by a guard. */
export interface Apart {
  anonymous_id: string
  user_id: string
}

interface Named {
  row: HistoryRow
  session: string
  user: string
}

/** Notes who was named in each browser, in order, and the ids of all who were. */
function namedIn(rows: readonly HistoryRow[], apart: readonly Apart[]) {
  const users = new Set<string>()
  const named = new Map<string, Named[]>()
  const note = (browser: string, entry: Named) => named.set(browser, [...(named.get(browser) ?? []), entry])
  for (const row of [...rows].sort(byPlace)) {
    const user = provenUser(row)
    if (!user) continue
    const browsers = new Map([[row.anonymous_id, row.session_id]])
    if (row.type === 'alias' && !browsers.has(row.previous_id)) browsers.set(row.previous_id, '')
    for (const [browser, session] of browsers) {
      if (!browser) continue
      users.add(user)
      if (isApart(apart, browser, user)) continue
      note(browser, { row, session, user })
    }
  }
  return { users, named }
}

/** Returns whom guards keep apart, as profiles have it: none of those that an administrator decided about. */
export function heldIn(rows: readonly HistoryRow[], decided: readonly Apart[] = []): Apart[] {
  const said = rows.filter(provenUser).flatMap(({ anonymous_id, previous_id, user_id, type, timestamp }) => {
    const link = { firstAt: timestamp, lastAt: timestamp, cause: type }
    const browsers = new Set([anonymous_id, type === 'alias' ? previous_id : ''].filter(Boolean))
    return [...browsers]
      .filter(browser => !isApart(decided, browser, user_id))
      .map(anonymousId => ({ anonymousId, userId: user_id, link }))
  })
  return mergesOfMessages(SITE, said)
    .filter(({ state }) => state === 'held')
    .map(({ browser, userId }) => ({ anonymous_id: browser, user_id: userId }))
}

/** Computes whose each row is, straight from the rule, by message id. */
export function personsOf(rows: readonly HistoryRow[], apart: readonly Apart[] = []): Map<string, string> {
  const { users, named } = namedIn(rows, apart)
  return new Map(rows.map(row => [row.message_id, personOf(row)]))

  function personOf(row: HistoryRow): string {
    const own = provenUser(row)
    const alone = users.has(row.anonymous_id) ? `visitor:${row.anonymous_id}` : row.anonymous_id
    if (own && isApart(apart, row.anonymous_id, own)) return alone
    if (own || row.anonymous_id === '') return own
    const known = named.get(row.anonymous_id) ?? []
    const later = known.filter(entry => byPlace(entry.row, row) > 0)
    const next = row.session_id ? later.find(entry => entry.session === row.session_id) : undefined
    const last = known.filter(entry => byPlace(entry.row, row) < 0).at(-1)
    const user = (next ?? last ?? later[0])?.user
    return user ?? alone
  }
}

const isApart = (apart: readonly Apart[], browser: string, user: string) =>
  apart.some(pair => pair.anonymous_id === browser && pair.user_id === user)

const provenUser = ({ user_id, sender }: HistoryRow) => (sender === 'unsigned' ? '' : user_id)

/** The order of what happened: by time, then by the place in the stream. */
export function byPlace(a: HistoryRow, b: HistoryRow): number {
  return a.timestamp - b.timestamp || a.stream_seq - b.stream_seq || a.batch_index - b.batch_index
}

/** A session as the view `sessions` has it. */
export interface HistorySession {
  anonymous_id: string
  user_id: string
  person_id: string
  started_at: number
  ended_at: number
  events: number
  page_views: number
  session_number: number
}

const PAUSE_MS = 30 * 60_000

/** Computes the sessions, straight from what they are. */
export function sessionsOf(rows: readonly HistoryRow[], apart: readonly Apart[] = []): HistorySession[] {
  const { users, named } = namedIn(rows, apart)
  const groups = new Map<string, HistoryRow[]>()
  const ends = new Map<string, { key: string; time: number }>()
  for (const row of [...rows].sort(byPlace)) {
    if (row.anonymous_id === '') continue
    let key = `${row.anonymous_id} ${row.session_id}`
    if (row.session_id === '') {
      const before = ends.get(row.anonymous_id)
      key = before && row.timestamp - before.time <= PAUSE_MS ? before.key : `${row.anonymous_id} @${row.timestamp}`
      ends.set(row.anonymous_id, { key, time: row.timestamp })
    }
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const sessions = [...groups.values()].map(sessionOf)
  for (const session of sessions)
    session.session_number = sessions.filter(
      other => other.anonymous_id === session.anonymous_id && other.started_at <= session.started_at,
    ).length
  return sessions.sort((a, b) => a.started_at - b.started_at || (key(a) < key(b) ? -1 : 1))

  function sessionOf(own: HistoryRow[]): HistorySession {
    const first = own[0]!
    const ended_at = own.at(-1)!.timestamp
    const user_id = own.map(provenUser).filter(Boolean).at(-1) ?? ''
    const known = named.get(first.anonymous_id) ?? []
    const other = (known.filter(({ row }) => row.timestamp <= ended_at).at(-1) ?? known[0])?.user
    const alone = users.has(first.anonymous_id) ? `visitor:${first.anonymous_id}` : first.anonymous_id
    const pages = own.filter(({ type }) => type === 'page')
    return {
      anonymous_id: first.anonymous_id,
      user_id,
      person_id: user_id && isApart(apart, first.anonymous_id, user_id) ? alone : user_id || (other ?? alone),
      started_at: first.timestamp,
      ended_at,
      events: own.length,
      page_views: new Set(pages.map(row => row.page_view_id || row.message_id)).size,
      session_number: 0,
    }
  }
}

const key = ({ anonymous_id, ended_at, events }: HistorySession) => `${anonymous_id} ${ended_at} ${events}`
