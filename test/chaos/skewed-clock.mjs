// Loaded before a program: shifts its wall clock, and not its monotonic one, by the milliseconds that the file named
// by SKEW_FILE holds at the moment.
import { readFileSync } from 'node:fs'

const RealDate = Date
const realNow = Date.now
let skew = 0

const read = () => {
  try {
    skew = Number(readFileSync(process.env.SKEW_FILE, 'utf8')) || 0
  } catch {
    skew = 0
  }
}
read()
setInterval(read, 100).unref()

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [realNow() + skew] : args, newTarget),
  apply: target => new target(realNow() + skew).toString(),
})
RealDate.now = () => realNow() + skew
