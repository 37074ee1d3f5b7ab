export { openData } from './engine/open-engine.js'
export { createGuard } from './guard/guard.js'
