export default {
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/repeatable-chance.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  // One process for each processor; the default leaves one idle, half of a small machine.
  maxWorkers: '100%',
  testTimeout: 60_000,
};
