import { expect, test } from '@jest/globals';
import { pictureType } from './picture-type.js';

test.each([
  ['\x89PNG\r\n\x1a\n...', 'image/png'], ['GIF89a', 'image/gif'], ['GIF87a...', 'image/gif'], ['\xff\xd8\xff\xe0', 'image/jpeg'],
  ['<svg xmlns="http://www.w3.org/2000/svg">', undefined], ['', undefined], ['GIF88a', undefined], ['\x89PNG', undefined],
])('%j is %s', (beginning, type) => {
  expect(pictureType(Buffer.from(beginning, 'latin1'))).toBe(type);
});
