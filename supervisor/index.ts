export { obtainChromium, QUIET_CHROMIUM } from './obtain/chromium.js'
export { obtainNatsServer, obtainPackagedNatsServer } from './obtain/nats-server.js'
