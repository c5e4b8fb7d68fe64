export default { test: { globals: true, include: ['run.test.mjs'] } }
