export { obtainChromium } from './obtain/chromium.js'
export { obtainNatsServer } from './obtain/nats-server.js'
