/** A browser engine of which the tests want the same as of the others. */
export interface Engine {
  name: 'Chromium' | 'Firefox' | 'WebKit'
  /** Starts the browser under the control of its driver, with a profile of its own that goes with it. */
  launch(): Promise<Browser>
  /** Starts the browser as a person does: on a profile's folder that stays, with one page, not remotely controlled. */
  visit(profile: string, url: string): Promise<Visit>
}

/** A browser under control. */
export interface Browser {
  /** Opens a page in a tab of its own; resolves when it has loaded. */
  open(url: string): Promise<Tab>
  close(): Promise<void>
}

/** A tab under control. */
export interface Tab {
  /** Resolves when the page has loaded. */
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** Runs a function in the page and resolves to its result, or to that of its promise. */
  evaluate<T, A extends unknown[]>(run: (...args: A) => T | Promise<T>, ...args: A): Promise<T>
  close(): Promise<void>
}

/** A browser that is not remotely controlled. */
export interface Visit {
  /** SIGKILL to all of its processes at once: nothing can be written any more. */
  kill(): Promise<void>
}
