export { PAUSE_MS, sessionIdOf } from '../profile/sessions.js'
export { compileSessionFeatures, type SessionFeatures } from './compile-session-features.js'
export { countMessages } from './count-messages.js'
export { sessionValues } from './session-values.js'
