/** The tables that come from source files: fields of a report, exit codes, codes of errors. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { exitCodeMeanings } from '../../src/cli/exit-codes.ts'
import { UNEXPECTED_CODE } from '../../src/cli/failure.ts'
import { EXIT_CODES } from '../../src/errors.ts'
import { code, quotedAsCode } from './cells.mjs'

function parse(name) {
  const file = new URL(`../../${name}`, import.meta.url)
  return ts.createSourceFile(name, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
}

/** The text of the comment before a declaration, on one line. */
function commentOf(node) {
  const text = ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
    .join(' ')
  return quotedAsCode(text.replace(/\s+/g, ' ').trim())
}

function reportFields() {
  const source = parse('src/api/report.ts')
  const report = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === 'BuildReport')
  const rows = report.members.map((member) => {
    const type = member.type.getText(source).replaceAll('readonly ', '').replace(/\s+/g, ' ')
    return [code(member.name.getText(source)), code(type), commentOf(member)]
  })
  return { head: ['field', 'type', 'what it is'], rows }
}

function exitCodes() {
  return { head: ['exit code', 'when'], rows: exitCodeMeanings().map(([exit, when]) => [code(exit), when]) }
}

function errorCodes() {
  const source = parse('src/errors.ts')
  const classes = source.statements.filter((each) => ts.isClassDeclaration(each))
  const rows = classes.flatMap((each) => {
    const text = each.getText(source)
    const id = /'(SHARDLOOM_\w+)'/.exec(text)?.[1]
    if (id === undefined) return []
    const kind = /kind: '(\w+)'/.exec(text)?.[1] ?? 'failed'
    const exit = /kind: cause/.test(text) ? "as its cause's" : code(EXIT_CODES[kind])
    return [[code(id), code(each.name.text), exit, commentOf(each)]]
  })
  const unexpected = [
    code(UNEXPECTED_CODE),
    'any other error',
    code(EXIT_CODES.failed),
    'Only on the command line: a bug.',
  ]
  return { head: ['code', 'class', 'exit code', 'when'], rows: [...rows, unexpected] }
}

export const SOURCE_TABLES = { 'report-fields': reportFields, 'exit-codes': exitCodes, 'error-codes': errorCodes }
