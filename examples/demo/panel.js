// @ts-check
// The corner panel: what the SDK captured and sent, what the server decided and why. Text only, never markup.
import { signOut } from './account.js'
import { emptyCart } from './cart.js'
import { el, icon } from './dom.js'
import { emptyJournal, enter } from './journal.js'
import { categories } from './products.js'
import { percent, reasonLines } from './reasons.js'
import { forgetVisitor } from './slotstream.js'
import { stored } from './stored.js'

/** @import { Decision, Entry } from './journal.js' */
/**
 * @typedef {{ past: { kind: string, detail: unknown }[], listener?: (kind: string, detail: unknown) => void }} Recorder
 */

/** The journal survives navigation, so that what one page sent can be watched arriving on the next. */
const memory = stored('sessionStorage', 'fellbrook-journal', emptyJournal())

/** @param {Decision} decision */
function verdict({ outcome, items, reason }) {
  if (items.length === 0) return { tone: 'plain', text: `${outcome}: the page's own content stays` }
  if (!reason) return { tone: 'plain', text: outcome }
  return reason.explored ? { tone: 'explored', text: 'explored' } : { tone: 'best', text: 'best match' }
}

/** @param {Decision} decision */
function decisionView(decision) {
  const { slotId, items, reason } = decision
  const { tone, text } = verdict(decision)
  const contents = items.map(({ contentId }, index) => {
    const propensity = reason?.propensities[index]
    const chance = el(
      'span',
      { title: 'Probability of this choice' },
      propensity === undefined ? '' : `${percent(propensity)} chance`,
    )
    return el('li', {}, el('span', {}, contentId), chance)
  })
  return el(
    'article',
    { class: 'sees-decision', 'data-slot-id': slotId },
    el('h4', {}, slotId, el('span', { class: `sees-verdict ${tone}` }, text)),
    el('ol', {}, ...contents),
    ...reasonLines(decision).map(line => el('p', {}, line)),
  )
}

/** @param {Record<string, number>} affinities */
function affinitiesView(affinities) {
  const shown = categories.map(({ id, name }) => ({ id, name, value: affinities[id] ?? 0 }))
  const strongest = Math.max(...shown.map(({ value }) => value), Number.EPSILON)
  return shown.map(({ id, name, value }) => {
    const bar = el('span', { class: 'sees-bar' })
    bar.style.width = `${Math.max(0, (100 * value) / strongest)}%`
    return el(
      'li',
      { 'data-category': id },
      el('span', {}, name),
      el('span', { class: 'sees-track' }, bar),
      el('span', { class: 'sees-number' }, value.toFixed(2)),
    )
  })
}

/** @param {Entry} entry */
const entryView = ({ name, about, state, note }) =>
  el(
    'li',
    { 'data-state': state },
    el('span', { class: 'sees-event' }, el('strong', {}, name), el('span', {}, about)),
    el('span', { class: 'sees-state' }, state),
    ...(note ? [el('span', { class: 'sees-note' }, note)] : []),
  )

/** @param {Record<string, unknown>} features of the session, as this browser counts them */
function sessionText({ session_page_views: views = 0, session_clicks: clicks = 0 }) {
  return `${views} ${views === 1 ? 'page' : 'pages'} viewed, ${clicks} ${clicks === 1 ? 'click' : 'clicks'}`
}

/** @param {string} heading @param {Element} content */
const part = (heading, content) => el('section', {}, el('h3', {}, heading), content)

/** Leaves no trace of this visitor in the browser and starts over at the home page. */
async function forgetMe() {
  memory.write(emptyJournal())
  emptyCart()
  signOut()
  await forgetVisitor()
  location.assign('./')
}

/** Puts the panel into the page and keeps it up to date. */
export function startPanel() {
  const journal = memory.read()
  // What was sent and learned belongs to the visit, a decision to the page that asked for it.
  journal.decisions = []

  const toggle = el(
    'button',
    { type: 'button', class: 'sees-toggle', 'aria-controls': 'sees' },
    icon('pulse'),
    el('span', {}, 'What Slotstream sees'),
  )
  const close = el('button', { type: 'button', class: 'sees-close', 'aria-label': 'Close the panel' }, icon('close'))
  const forget = el('button', { type: 'button', class: 'sees-forget' }, 'Forget me')
  const counts = el('p', { class: 'sees-counts' })
  const affinities = el('ul', { class: 'sees-affinities' })
  const session = el('p', { class: 'sees-session' }, sessionText({}))
  // Scrolls, so the keyboard must reach it.
  const decisions = el('div', { class: 'sees-decisions', tabindex: '0', role: 'group', 'aria-label': 'Decisions' })
  const events = el('ol', { class: 'sees-events' })
  const panel = el(
    'aside',
    { class: 'sees', id: 'sees', 'aria-labelledby': 'sees-title' },
    el('header', {}, icon('pulse'), el('h2', { id: 'sees-title' }, 'What Slotstream sees'), close),
    el(
      'div',
      // So does all of it.
      { class: 'sees-body', tabindex: '0', role: 'group', 'aria-label': 'Interests, decisions and events' },
      part('Your interests: the last decision, and what came since', affinities),
      part('This session, counted in this browser', session),
      part('What was decided', decisions),
      part('What was sent', events),
    ),
    el('footer', {}, counts, forget),
  )

  function draw() {
    affinities.replaceChildren(...affinitiesView(journal.affinities))
    decisions.replaceChildren(
      ...(journal.decisions.length > 0 ? journal.decisions.map(decisionView) : [el('p', {}, 'No slot on this page.')]),
    )
    events.replaceChildren(...journal.entries.map(entryView).reverse())
    const stored = journal.entries.filter(entry => entry.state === 'acknowledged').length
    counts.textContent = `${stored} of the last ${journal.entries.length} stored`
  }

  /** @param {boolean} open */
  function setOpen(open) {
    document.documentElement.dataset.panel = open ? 'open' : 'closed'
    toggle.setAttribute('aria-expanded', String(open))
    try {
      sessionStorage.setItem('fellbrook-panel', open ? 'open' : 'closed')
    } catch {
      // Storage is blocked: the next page decides anew.
    }
  }

  let scheduled = false
  /** @param {string} kind @param {unknown} detail */
  function hear(kind, detail) {
    enter(journal, kind, detail)
    memory.write(journal)
    if (scheduled) return
    scheduled = true
    requestAnimationFrame(() => {
      scheduled = false
      draw()
    })
  }

  toggle.setAttribute('aria-expanded', String(document.documentElement.dataset.panel === 'open'))
  toggle.addEventListener('click', () => {
    setOpen(true)
    close.focus()
  })
  close.addEventListener('click', () => {
    setOpen(false)
    toggle.focus()
  })
  panel.addEventListener('keydown', event => {
    if (event.key === 'Escape') close.click()
  })
  forget.addEventListener('click', forgetMe)
  window.addEventListener('slotstream:features', event => {
    session.textContent = sessionText(/** @type {CustomEvent<Record<string, unknown>>} */ (event).detail)
  })

  const { demoRecorder: recorder } = /** @type {{ demoRecorder: Recorder }} */ (/** @type {unknown} */ (window))
  for (const { kind, detail } of recorder.past) hear(kind, detail)
  recorder.listener = hear
  draw()
  document.body.append(toggle, panel)
}
