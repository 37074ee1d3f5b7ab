/** The plugins and the sender of a page by default that may come a moment later, in one file of the script tag. */
export { createSending as sending } from '../../delivery/send/sending.js'
export { engagement } from '../../plugins/capture/engagement.js'
export { webVitals } from '../../plugins/capture/web-vitals.js'
