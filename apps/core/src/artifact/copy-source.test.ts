import { describe, expect, test } from '@jest/globals';
import { readCopySource } from './copy-source.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('readCopySource', () => {
  test.each([
    ['alpha/app:1', { project: 'alpha', repository: 'alpha/app', reference: { tag: '1' }, text: '1' }],
    ['alpha/deep/er:v1.0_x-y', { project: 'alpha', repository: 'alpha/deep/er', reference: { tag: 'v1.0_x-y' }, text: 'v1.0_x-y' }],
    [`alpha/app@${DIGEST}`, { project: 'alpha', repository: 'alpha/app', reference: { digest: DIGEST }, text: DIGEST }],
  ])('%s', (from, source) => {
    expect(readCopySource(from)).toEqual(source);
  });

  test.each([
    '', ':', '@', 'alpha', 'alpha:1', 'alpha/app', 'alpha/app:', 'alpha/app@', `alpha/app@sha256:${'a'.repeat(63)}`, `alpha/app:1@${DIGEST}`, `alpha/app@${DIGEST}@${DIGEST}`,
    '/alpha/app:1', 'alpha/../alpha/app:1', 'alpha/./app:1', 'alpha//app:1', 'alpha/app/:1', 'alpha%2Fapp:1', 'alpha\\app:1', 'Alpha/app:1', 'alpha/app:1/../2', 'alpha/app:a\0', 'alpha/app:1 ',
    'https://registry.example/alpha/app:1', `alpha/${'a'.repeat(300)}:1`, `alpha/app:${'a'.repeat(129)}`, 'alpha/app:-x',
  ])('%j is refused', (from) => {
    expect(() => readCopySource(from)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
