import { describe, expect, test } from '@jest/globals';
import { crc32, inflateSync } from 'node:zlib';
import { digestOf } from '@haven/oci';
import { builtInIcon, iconOfAccessoryType, iconOfType } from './built-in-icons.js';

const TYPES = ['IMAGE', 'CHART', 'CNAB', 'WASM', 'CNAI', 'SBOM', 'UNKNOWN'];
const ACCESSORIES = ['signature.cosign', 'signature.notation', 'accelerator.nydus'];
const all = [...TYPES.map(iconOfType), ...ACCESSORIES.map(iconOfAccessoryType)];

describe('built-in icons', () => {
  test('are there for every type, each its own', () => {
    expect(new Set(all).size).toBe(all.length);
    expect(iconOfType('__proto__')).toBe(iconOfType('UNKNOWN'));
    expect(iconOfAccessoryType('sbom.harbor')).toBe(iconOfType('SBOM'));
    expect(iconOfAccessoryType('subject.accessory')).toBe(iconOfType('UNKNOWN'));
    expect(builtInIcon(digestOf(Buffer.from('other')))).toBeUndefined();
  });

  test.each(all)('%s is a PNG of 50 by 50 pixels under its own digest', (digest) => {
    const file = builtInIcon(digest);
    if (file === undefined) throw new Error('there is no such icon');
    expect(digestOf(file)).toBe(digest);
    const chunks = chunksOf(file);
    expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
    expect([chunks[0]?.data.readUInt32BE(0), chunks[0]?.data.readUInt32BE(4)]).toEqual([50, 50]);
    const rows = inflateSync(chunks[3]?.data ?? Buffer.alloc(0));
    expect(rows).toHaveLength(50 * 51);
    expect([rows[1], rows[25 * 51 + 4], Math.max(...rows)]).toEqual([0, 1, 2]);
  });

  test('have the same digests in every build', () => {
    expect(iconOfType('IMAGE')).toBe('sha256:a7e40e76fe75c3b74280834fa44c3acc1b7908c175c179c7cf4d256e220195cc');
  });
});

function chunksOf(file: Buffer): { readonly type: string; readonly data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += length + 12;
  }
  return chunks;
}
