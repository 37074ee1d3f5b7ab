import { el } from './elements.js'

/** Returns the row of a subject: recreated when its state changes. */
export type Row = [subject: object, state: string, make: () => HTMLElement]

/** Makes tabs that work by keyboard as the ARIA practices say (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/). */
export function createTabs<Name extends string>(titles: Record<Name, string>) {
  const names = Object.keys(titles) as Name[]
  const rendered = new WeakMap<object, { state: string; element: HTMLElement }>()
  const tabs = new Map<Name, HTMLElement>()
  const panels = new Map<Name, HTMLElement>()

  const select = (name: Name) => {
    for (const other of names) {
      tabs.get(other)?.setAttribute('aria-selected', String(other === name))
      tabs.get(other)?.setAttribute('tabindex', other === name ? '0' : '-1')
      panels.get(other)?.toggleAttribute('hidden', other !== name)
    }
  }
  for (const name of names) {
    const tab = el(
      'button',
      { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': name },
      titles[name],
      el('i'),
    )
    tab.addEventListener('click', () => select(name))
    tabs.set(name, tab)
    panels.set(name, el('div', { role: 'tabpanel', id: name, 'aria-labelledby': `tab-${name}`, tabindex: '0' }))
  }
  const list = el('div', { role: 'tablist', 'aria-label': 'What to look at' }, ...tabs.values())
  list.addEventListener('keydown', event => {
    const index = names.findIndex(name => tabs.get(name)?.getAttribute('aria-selected') === 'true')
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: -1 }[event.key]
    const name = to === undefined ? undefined : names.at(to % names.length)
    if (!name) return
    event.preventDefault()
    select(name)
    tabs.get(name)?.focus()
  })
  select(names[0] as Name)

  return {
    list,
    panels: [...panels.values()],
    focus: () => tabs.get(names[0] as Name)?.focus(),
    /** Shows rows, given oldest first, with the newest on top; those that say the same as before stay as they are. */
    rows(name: Name, rows: Row[]) {
      const panel = panels.get(name)
      const [count] = tabs.get(name)?.getElementsByTagName('i') ?? []
      if (!panel || !count) return
      count.textContent = rows.length ? ` ${rows.length}` : ''
      tabs.get(name)?.classList.toggle('alarm', name === 'problems' && rows.length > 0)
      panel.className = 'rows'
      const elements = rows.map(([subject, state, make]) => {
        const before = rendered.get(subject)
        if (before?.state === state) return before.element
        const element = make()
        if (before?.element instanceof HTMLDetailsElement && before.element.open)
          (element as HTMLDetailsElement).open = true
        rendered.set(subject, { state, element })
        if (before?.element.isConnected) before.element.replaceWith(element)
        return element
      })
      const current = new Set<Element>(elements)
      for (const element of [...panel.children]) if (!current.has(element)) element.remove()
      // Newest on top: only those that aren't there yet are put in, so that nothing loses its focus.
      for (const element of elements) if (!element.isConnected || element.parentNode !== panel) panel.prepend(element)
      if (!elements.length) panel.append(el('p', { class: 'none' }, 'Nothing yet.'))
    },
    fill(name: Name, nodes: Node[]) {
      panels.get(name)?.replaceChildren(...nodes)
    },
  }
}
