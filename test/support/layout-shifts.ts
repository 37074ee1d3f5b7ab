import type { Page } from 'playwright-core'

/** A movement that no input caused. */
export interface Shift {
  value: number
  /** Beginning of the HTML of what moved. */
  moved: string[]
}

type Measured = Window & { shifts: Shift[] }

/**
 * Notes the layout shifts of each document that a page opens, from its first moment on.
 *
 * @param except selector of elements in which things may move: a shift counts by what moved elsewhere. Default: none
 */
export async function noteShifts(page: Page, except = ''): Promise<void> {
  await page.addInitScript(excepted => {
    const own = window as unknown as Measured
    own.shifts = []
    interface Entry extends PerformanceEntry {
      value: number
      hadRecentInput: boolean
      sources: { node?: Node }[]
    }
    new PerformanceObserver(list => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as Entry[]) {
        const elements = sources.map(({ node }) => (node instanceof Element ? node : node?.parentElement))
        const counted = excepted ? elements.filter(element => element && !element.closest(excepted)) : elements
        if (!hadRecentInput && (!excepted || counted.length > 0))
          own.shifts.push({ value, moved: counted.map(element => element?.outerHTML.slice(0, 80) ?? '') })
      }
    }).observe({ type: 'layout-shift', buffered: true })
  }, except)
}

/** Resolves to the shifts of the document that is open, once all that is on its way is drawn. */
export async function shiftsOf(page: Page): Promise<Shift[]> {
  return page.evaluate(async () => {
    await Promise.all(
      [...document.images].filter(({ loading }) => loading !== 'lazy').map(image => image.decode().catch(() => {})),
    )
    await document.fonts.ready
    // Entries are there two frames later.
    for (let frame = 0; frame < 3; frame++) await new Promise(resolve => requestAnimationFrame(resolve))
    await new Promise(resolve => setTimeout(resolve, 100))
    return (window as unknown as Measured).shifts
  })
}
