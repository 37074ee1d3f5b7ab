import type { Page, Browser as PuppeteerBrowser } from 'puppeteer-core'
import type { Browser, Tab } from './engine.js'

/** A browser that puppeteer controls. */
export function puppeteerBrowser(browser: PuppeteerBrowser): Browser {
  return {
    async open(url) {
      const page = await browser.newPage()
      await page.goto(url)
      return tab(page)
    },
    close: () => browser.close(),
  }
}

function tab(page: Page): Tab {
  return {
    goto: async url => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    // Its own types are for arguments that may be handles of what is in the page.
    evaluate: <T, A extends unknown[]>(run: (...args: A) => T | Promise<T>, ...args: A) =>
      page.evaluate(run as (...args: unknown[]) => unknown, ...args) as Promise<T>,
    close: () => page.close(),
  }
}
