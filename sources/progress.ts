const BAR_WIDTH = 30

/** How often a line is printed where there is no terminal, in milliseconds. */
const LINE_EVERY_MS = 5_000

/** Output that progress is written to. */
export interface Output {
  isTTY?: boolean
  write(text: string): unknown
}

/** Returns one line about `done` of `total` rows after `elapsedMs`: a bar, the share, the speed. */
export function progressLine(done: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : done / total
  const filled = Math.floor(share * BAR_WIDTH)
  const rate = elapsedMs > 0 ? Math.round((done * 1_000) / elapsedMs) : 0
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const count = (n: number) => n.toLocaleString('en')
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${count(done)} of ${count(total)} rows, ${count(rate)}/s`
}

/** Creates a progress bar on a terminal; elsewhere, such as in a log, a plain line now and then. */
export function createProgress(total: number, output: Output, now: () => number = Date.now) {
  const started = now()
  let done = 0
  let printed = started
  const print = () => {
    const line = progressLine(done, total, now() - started)
    output.write(output.isTTY ? `\r${line}` : `${line}\n`)
    printed = now()
  }
  return {
    add(rows: number): void {
      done += rows
      if (output.isTTY || done >= total || now() - printed >= LINE_EVERY_MS) print()
    },
    /** Leaves the bar's line, so that what comes next starts on its own. */
    end(): void {
      if (output.isTTY) output.write('\n')
    },
  }
}
