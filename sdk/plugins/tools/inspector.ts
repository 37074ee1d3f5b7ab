import type { Running } from '../../client/start.js'
import { button, el } from '../../inspector/elements.js'
import { follow } from '../../inspector/happenings.js'
import { createJournal } from '../../inspector/journal.js'
import { queueState } from '../../inspector/queue-state.js'
import { decisionRow, messageRow, problemRow } from '../../inspector/rows.js'
import { STYLES } from '../../inspector/styles.js'
import { createTabs } from '../../inspector/tabs.js'
import { visitorView } from '../../inspector/visitor-view.js'
import { createListeners } from '../../platform/listeners.js'

/** Shortest time between two updates of what is shown, in milliseconds: many things happen at once. */
const REFRESH_MS = 150

const NAME = 'slotstream-inspector'

/**
 * Opens the inspector over the page, or brings the open one to the front. In a shadow root, without inline styles,
 * scripts or HTML, so that it works under a strict Content Security Policy and Trusted Types.
 *
 * Longer than 70 lines: the elements and what updates them are built once, in the order in which they are shown.
 *
 * @param running what runs on the page, which `init` and `destroy` change
 */
export function inspector(running: () => Running | undefined): void {
  const open = document.querySelector<HTMLElement>(NAME)
  if (open) {
    open.shadowRoot?.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus()
    return
  }

  const before = document.activeElement
  const journal = createJournal()
  const listeners = createListeners(console.error)
  const host = document.createElement(NAME)
  const root = host.attachShadow({ mode: 'open' })
  let timer: ReturnType<typeof setTimeout> | undefined

  const close = () => {
    listeners.off()
    clearTimeout(timer)
    host.remove()
    if (before instanceof HTMLElement) before.focus()
  }
  const send = async () => {
    const sender = await running()?.client().delivery.sending()
    await sender?.flush()
  }
  const refresh = async () => {
    timer = undefined
    const now = running()
    const state = now && (await queueState(`slotstream-${now.client().settings.writeKey}`))
    const { entries, decisions, problems } = journal
    waiting.textContent = now ? `${state?.waiting ?? entries.size} ${state ? 'waiting' : 'captured'}` : 'not running'
    tabs.rows(
      'messages',
      [...entries.values()].map(entry => [entry.message, entry.status + entry.reason, () => messageRow(entry)]),
    )
    tabs.rows(
      'decisions',
      decisions.map(decision => [decision, '', () => decisionRow(decision)]),
    )
    tabs.rows(
      'problems',
      problems.map(problem => [problem, '', () => problemRow(problem)]),
    )
    tabs.fill('visitor', visitorView(now, state, journal))
  }
  const changed = () => {
    timer ??= setTimeout(() => void refresh().catch(console.error), REFRESH_MS)
  }

  const tabs = createTabs({ messages: 'Messages', decisions: 'Decisions', problems: 'Problems', visitor: 'Visitor' })
  const waiting = el('span', { class: 'waiting-count' })
  root.append(
    el(
      'section',
      { role: 'dialog', 'aria-label': 'Slotstream inspector' },
      el(
        'header',
        {},
        el('h2', {}, 'Slotstream'),
        waiting,
        button('Send now', {}, () => void send().catch(console.error)),
        button('✕', { 'aria-label': 'Close the inspector' }, close),
      ),
      tabs.list,
      ...tabs.panels,
    ),
  )
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLES)
    root.adoptedStyleSheets = [sheet]
  } catch {
    // Legible without it.
  }
  root.addEventListener('keydown', event => {
    // Keys typed here must not trigger the page's own shortcuts.
    event.stopPropagation()
    if ((event as KeyboardEvent).key === 'Escape') close()
  })
  document.documentElement.append(host)
  follow(running()?.client().recent ?? [], listeners, happening => {
    journal.tell(happening)
    changed()
  })
  void refresh().catch(console.error)
  tabs.focus()
}
