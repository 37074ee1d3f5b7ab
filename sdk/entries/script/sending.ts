/** Sending, for the script tag: apart from the other defaults where a page doesn't measure web vitals. */
export { createSending as sending } from '../../delivery/send/sending.js'
