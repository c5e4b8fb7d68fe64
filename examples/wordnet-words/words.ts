/**
 * One question, asked three ways: by meaning (vectors), by words (text), and by both at once.
 *
 *   npx tsx examples/wordnet-words/words.ts [WORD] [WORDS TO FIND] [FILTER AS JSON]
 *
 * Meaning is that of an entry: its neighbours are entries whose glosses are about the same. The words are looked for in
 * the glosses. The filter decides which entries may be found, in all three.
 */
import { fileURLToPath } from 'node:url'
import { buildIndex, openIndex, readVectors, ShardloomError, type Filter } from 'shardloom'

const [word = 'money', text = 'borrow', filter = '{}'] = process.argv.slice(2)
const PATH = 'words.index'
const FILE = fileURLToPath(new URL('words.jsonl', import.meta.url))
/** Keys of the records that become fields. Text is searched by its words; the other types are compared whole. */
const FIELDS = { words: 'keyword[]', pos: 'keyword', topic: 'keyword', uses: 'number', gloss: 'text' } as const

try {
  await buildIndex(readVectors(FILE, { fields: FIELDS }), { path: PATH, metric: 'cosine' })
  const index = await openIndex<typeof FIELDS>(PATH)
  const options = {
    k: 6,
    filter: JSON.parse(filter) as Filter<typeof FIELDS>,
    select: ['words', 'pos', 'gloss'] as const,
  }

  // Of the entries that have the word, the one that is used most: a filter alone, so any vector will do.
  const any = new Float32Array(index.dimensions).fill(1)
  const senses = index.search(any, { k: 20, filter: { words: word }, select: ['uses'] })
  const [asked] = senses.toSorted((a, b) => (b.fields?.uses ?? 0) - (a.fields?.uses ?? 0))
  const vector = asked && index.get(asked.id)?.vector
  if (vector === undefined) throw new Error(`no entry has the word ${JSON.stringify(word)}; take money, snow or eye`)

  const lists = {
    [`meaning of ${word}`]: index.search(vector, options),
    [`words "${text}"`]: index.searchText(text, options),
    both: index.search(vector, { ...options, text }),
  }
  await index.close()
  const columns = Object.entries(lists).map(([title, hits]) => [
    title,
    ...hits.map(({ fields }) => `${fields?.words?.[0] ?? ''} (${fields?.pos ?? ''})`),
  ])
  for (let row = 0; row <= options.k; row++) {
    console.log(
      columns
        .map((column) => (column[row] ?? '').padEnd(28))
        .join('')
        .trimEnd(),
    )
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof ShardloomError ? error.exitCode : 1
}
