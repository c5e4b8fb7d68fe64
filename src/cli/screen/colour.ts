import util from 'node:util'

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'bold' | 'dim'
export type Paint = (colour: Colour, text: string) => string

/**
 * Whether to colour the text of a stream. FORCE_COLOR decides if it is set (0 and false: no), then NO_COLOR if it is
 * set, then whether the stream is a screen with colours.
 */
export function wantsColour(isTTY: boolean, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: unwanted = '', TERM: terminal } = env
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTTY && unwanted === '' && terminal !== 'dumb'
}

/** The decision is made above: Node.js must not decide again by its own streams. */
export function painter(coloured: boolean): Paint {
  return (colour, text) => (coloured ? util.styleText(colour, text, { validateStream: false }) : text)
}
