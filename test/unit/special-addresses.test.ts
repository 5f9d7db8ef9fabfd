import { describe, expect, test } from 'vitest';
import { isPublicAddress as isOnInternet } from '../../src/lib/probe/facts/addresses.js';
import { classifyAddress } from '../../src/lib/special-addresses.js';

describe('an address', () => {
  test.each([
    ['8.8.8.8', 'global'],
    ['2606:4700::1111', 'global'],
    ['10.1.2.3', 'local'],
    ['255.255.255.255', 'local'],
    ['::', 'local'],
    ['::1', 'local'],
    ['fe80::1%eth0', 'local'],
    ['ff02::1', 'local'],
    ['::ffff:127.0.0.1', 'local'],
    ['::ffff:7f00:1', 'local'],
    ['192.0.2.1', 'documentation'],
    ['203.0.113.9', 'documentation'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['192.88.99.1', 'translation'],
    ['64:ff9b::808:808', 'translation'],
    ['::ffff:8.8.8.8', 'translation'],
    ['2001::1', 'translation'],
    ['2002:808:808::', 'translation'],
    ['4000::1', 'unassigned'],
  ])('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
    // What is for examples stands for what is on the internet.
    expect(isOnInternet(address)).toBe(kind !== 'local');
  });
});
