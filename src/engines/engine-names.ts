/** The names of the engines, for modules that only name them: no engine is loaded. */
export { ENGINE_NAMES } from '../api/report.js'
