import { guard, type Log } from '../../platform/guard.js'

/**
 * Shows nodes in the place of an element's own content, which stays where it is, hidden: a framework that made it goes
 * on to change and remove it there. React throws where a child of its own is gone
 * (https://github.com/facebook/react/issues/11538). Own content that is added later is hidden, too. Returns a function
 * that takes the nodes away and shows the element's own content again.
 *
 * @param clear called when the element becomes another slot or none, as frameworks keep elements for other content
 */
export function standIn(
  element: HTMLElement,
  nodes: ChildNode[],
  log: Log,
  clear: (element: HTMLElement) => void,
): () => void {
  const { slot } = element.dataset
  const hidden = new Map<Node, () => void>()
  const hide = () => {
    if (element.dataset.slot !== slot) {
      clear(element)
      return delete element.dataset.slotState
    }
    // A framework has written the element's content anew.
    if (!element.contains(nodes[0]!)) return show()
    for (const node of element.childNodes) {
      if (nodes.includes(node) || hidden.has(node)) continue
      const { style } = node as HTMLElement
      if (style) {
        const [display, priority] = [style.getPropertyValue('display'), style.getPropertyPriority('display')]
        style.setProperty('display', 'none', 'important')
        hidden.set(node, () => style.setProperty('display', display, priority))
      } else if (node instanceof Text && node.data.trim()) {
        const { data } = node
        // For a copy of the element, which can't be told what it was.
        element.dataset.slotOwn += data
        node.data = ''
        // The page may have written another text since.
        hidden.set(node, () => {
          node.data ||= data
        })
      }
    }
  }
  const observer = new MutationObserver(() => guard(log, hide))
  const show = () => {
    observer.disconnect()
    for (const node of nodes) node.remove()
    element.dataset.slotOwn = ' '
    for (const put of hidden.values()) put()
  }
  element.append(...nodes)
  hide()
  observer.observe(element, { childList: true, attributeFilter: ['data-slot'] })
  return show
}
