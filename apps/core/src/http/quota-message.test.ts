import { expect, test } from '@jest/globals';
import { quotaMessage } from './quota-message.js';

const MIB = 1024 * 1024;

test('says what was added to what, and where the limit is', () => {
  expect(quotaMessage({ used: 95 * MIB, added: 12.3 * MIB, hard: 100 * MIB })).toBe(
    'Quota exceeded when processing the request of adding 12.3 MiB of storage resource, which when updated to current usage of 95.0 MiB will exceed the configured upper limit of 100.0 MiB.',
  );
  expect(quotaMessage({ used: 0, added: 7, hard: 1024 })).toContain('adding 7.0 Byte of storage resource, which when updated to current usage of 0.0 Byte will exceed the configured upper limit of 1.0 KiB.');
});
