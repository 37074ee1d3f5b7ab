/** Fills templates: what slots load while they wait for their decisions. */
export { renderItem } from '../../slots/render.js'
