/** The library: what other programs may build on. */
export * from './errors.js';
