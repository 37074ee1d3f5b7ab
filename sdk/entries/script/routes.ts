/** Following routes, for the script tag: apart from the other defaults where a page doesn't measure web vitals. */
export { followRoutes as routes } from '../../plugins/capture/routes.js'
