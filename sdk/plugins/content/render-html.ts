import type { Log } from '../../platform/guard.js'
import { setHtml } from '../../slots/raw-html.js'
import { renderItem } from '../../slots/render.js'
import type { SlotItem } from '../../types.js'

/** Fills templates that may write payloads as HTML: what slots load where the option `rawHtml` allows that. */
export const renderHtml = (template: HTMLTemplateElement, item: SlotItem, log: Log): DocumentFragment =>
  renderItem(template, item, log, setHtml)
