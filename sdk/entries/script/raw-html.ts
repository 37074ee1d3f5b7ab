/** Payloads as HTML, for the script tag, on pages that allow it. */
export { setHtml as rawHtml } from '../../slots/render/raw-html.js'
