/** The report page and the terminal say numbers alike. */
export { countText, plural, rateText, tookText, waitText } from '../report/number-text.js'
