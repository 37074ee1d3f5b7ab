/** Plugins that a page gets by default and that may come a moment later, in one file of the script tag. */
export { engagement } from '../../plugins/capture/engagement.js'
export { followRoutes as routes } from '../../plugins/capture/routes.js'
export { webVitals } from '../../plugins/capture/web-vitals.js'
