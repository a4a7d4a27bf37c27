/** One root run for every project: unit tests need nothing, flow tests get Postgres and Redis from the global set-up. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/{apps,libs}/*/src/**/*.test.ts', '<rootDir>/{deploy,tools,benchmarks}/**/*.test.mjs'],
  globalSetup: '<rootDir>/tools/test-services/start.mjs',
  globalTeardown: '<rootDir>/tools/test-services/stop.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 30_000,
  // Processes of their own, replaced when they have grown: what a suite loaded stays in memory, and there are hundreds of suites.
  maxWorkers: 2,
  workerIdleMemoryLimit: '768MB',
  transform: {
    '^.+\\.ts$': ['@swc/jest', {
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
      module: { type: 'es6' },
    }],
  },
};
