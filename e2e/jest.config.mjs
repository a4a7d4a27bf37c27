/** Whole-system flows: real processes, real clients, one file after the other. Run with --runInBand. */
export default {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/*.test.mjs'],
  transform: {},
  testTimeout: 180_000,
  maxWorkers: 1,
  moduleFileExtensions: ['mjs', 'js', 'json'],
};
