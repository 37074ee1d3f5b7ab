/** What a page gets by default and that may come a moment later, in one file of the script tag. */
export { createSending as sending } from '../../delivery/send/sending.js'
export { engagement } from '../../plugins/capture/engagement.js'
export { webVitals } from '../../plugins/capture/web-vitals.js'
