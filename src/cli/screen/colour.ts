import { styleText } from 'node:util'

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'bold' | 'dim'
export type Paint = (colour: Colour, text: string) => string

/**
 * Whether to colour what goes to a stream. FORCE_COLOR decides where it is set (0 and false: no), then NO_COLOR, whatever
 * it holds, then whether the stream is a screen that can.
 */
export function wantsColour(isTTY: boolean, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: unwanted = '', TERM: terminal } = env
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTTY && unwanted === '' && terminal !== 'dumb'
}

/** Decided once: what Node.js thinks of its own streams does not count. */
export function painter(coloured: boolean): Paint {
  return (colour, text) => (coloured ? styleText(colour, text, { validateStream: false }) : text)
}
