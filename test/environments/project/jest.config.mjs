export default { testEnvironment: 'node', transform: {}, testMatch: ['**/run.test.mjs'] }
