import { init, track } from 'slotstream'

export const start = origin => init({ writeKey: 'demo', endpoint: origin })
export { track }
