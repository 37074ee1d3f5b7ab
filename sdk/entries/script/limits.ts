/** Keeping the queue within limits, for the script tag, once one is reached. */
export { createLimits as limits } from '../../delivery/send/limits.js'
