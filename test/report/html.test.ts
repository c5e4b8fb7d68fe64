import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { given, html, markup } from '../../src/report/draw/html.js'

describe('html', () => {
  it('escapes text, also in attributes, and leaves markup', () => {
    const inner = html`<b title="${`"'`}">${'<script>&'}</b>`
    expect(html`<p>${inner}</p>`.text).toBe('<p><b title="&quot;&#39;">&lt;script&gt;&amp;</b></p>')
  })

  it('leaves no character with a meaning in HTML, in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { text: written } = html`${text}`
        expect(written).not.toMatch(/[<>"']/)
        expect(written.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&')
        expect(written).not.toMatch(/[\u0000\u0008\u001b\u007f\u009f]/) // eslint-disable-line no-control-regex
      }),
    )
  })

  it('concatenates lists, and writes nothing for undefined', () => {
    expect(html`${[html`<i></i>`, '<', undefined, ['a', 'b']]}`.text).toBe('<i></i>&lt;ab')
  })

  it('rounds numbers to visible precision, and writes no NaN and no infinity', () => {
    const numbers = [1.23456, 10, -0.001, Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300]
    expect(numbers.map((number) => html`${number}`.text)).toEqual([
      '1.23', '10', '0', '0', '0', '1000000000000000', '-1000000000000000',
    ]) // prettier-ignore
  })

  it('replaces control characters and unpaired surrogates with U+FFFD', () => {
    expect(html`${'a\u0000b\u001b[2J\ud800c'}`.text).toBe('a\ufffdb\ufffd[2J\ufffdc')
  })

  it('isolates text of the caller, which may change the direction of writing', () => {
    expect(given('\u202etxt.exe').text).toBe('<bdi>\u202etxt.exe</bdi>')
  })

  it('takes markup of this program as it is', () => {
    expect(html`${markup('a > b {}')}`.text).toBe('a > b {}')
  })
})
