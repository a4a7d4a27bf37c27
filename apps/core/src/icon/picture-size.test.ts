import { expect, test } from '@jest/globals';
import { builtInIcon, iconOfType } from './built-in-icons.js';
import { pictureSize } from './picture-size.js';

const PICTURE = builtInIcon(iconOfType('IMAGE')) ?? Buffer.alloc(0);
const jpeg = (hex: string): Buffer => Buffer.from(`ffd8ffe000104a46494600010100000100010000${hex}`, 'hex');

test('headers say how large a picture is', () => {
  const { width = 0, height = 0 } = pictureSize(PICTURE, 'image/png') ?? {};
  expect(Math.min(width, height)).toBeGreaterThan(10);
  expect(pictureSize(Buffer.from('474946383961100020000000003b', 'hex'), 'image/gif')).toEqual({ width: 16, height: 32 });
  for (const frame of ['ffc0000b08001000200101110000ffd9', 'ffc400040000ffc2000b08001000200101110000']) expect(pictureSize(jpeg(frame), 'image/jpeg')).toEqual({ width: 32, height: 16 });
});

test.each([
  ['image/png', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')], ['image/png', Buffer.alloc(40)], ['image/png', PICTURE.subarray(0, 20)], ['image/gif', Buffer.from('GIF89a')],
  ['image/jpeg', jpeg('')], ['image/jpeg', jpeg('ffc0')], ['image/jpeg', jpeg('00'.repeat(20))], ['image/jpeg', Buffer.concat([jpeg('ffe10000'), Buffer.alloc(1024 * 1024, 0xff)])],
  ['image/svg+xml', Buffer.from('<svg/>')],
])('%s without a size has none', (type, bytes) => {
  expect(pictureSize(bytes, type)).toBeUndefined();
});
