import fc from 'fast-check';

/**
 * Properties are tried on the same values each time, so that a failure is the fault of what was changed last and of nothing else.
 * MABS_TEST_SEED, a number, tries others; what is found by one is kept as an example in the test.
 */
fc.configureGlobal({ seed: Number(process.env.MABS_TEST_SEED ?? 1) });
