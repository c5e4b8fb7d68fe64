import { run } from './run.mjs'

// No await here: a bundler's CommonJS has none.
run().then((found) => console.log(found))
