import { defineConfig } from 'vitest/config';

/** Tests run from the sources; only those that start threads or a server need what `npm run build`
 * makes, and `npm test` builds first. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Tests of threads and of the server use more than one core themselves.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A long result is compared whole when a test fails.
    chaiConfig: { truncateThreshold: 400 },
  },
});
