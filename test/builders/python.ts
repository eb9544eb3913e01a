/** The system's Python: one that a user put before it may lack the system's packages. */
export const PYTHON = '/usr/bin/python3';

/** Fails where the second reader of pools cannot run. */
export const PYTHON_MODULES = 'import cryptography, zstandard';
