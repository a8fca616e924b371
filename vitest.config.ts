import { defineConfig } from 'vitest/config'

const common = { environment: 'node' as const }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/conformance/{gateway,tasks}.test.ts',
            'test/contract/**',
            'test/e2e/**',
            'test/silence/**',
            'test/browser/**',
            'test/bench/**',
            'node_modules/**',
          ],
          testTimeout: 30_000,
          // Some build the pages first.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: 'conformance',
          include: ['test/conformance/{gateway,tasks}.test.ts'],
          testTimeout: 60_000,
          // All runs are made before the first test looks at them.
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...common,
          name: 'silence',
          include: ['test/silence/**/*.test.ts'],
          // It waits for most of the time.
          testTimeout: 480_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
