export interface PictureSize {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** Bytes of a JPEG segment's mark and length, and of what of a frame's header comes before the end of its width. */
const SEGMENT = 4;
const FRAME = 5;

/**
 * How large a picture is, as its own header says; undefined when it does not say. A few bytes can unfold to gigabytes in
 * whoever shows them.
 *
 * @param type as pictureType says
 */
export function pictureSize(bytes: Buffer, type: string): PictureSize | undefined {
  switch (type) {
    case 'image/png': return bytes.length >= 24 && bytes.toString('latin1', 12, 16) === 'IHDR' ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : undefined;
    case 'image/gif': return bytes.length >= 10 ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } : undefined;
    case 'image/jpeg': return sizeOfJpeg(bytes);
    default: return undefined;
  }
}

/** Goes from segment to segment until the one that begins a frame (ITU-T T.81, section B.2.2). */
function sizeOfJpeg(bytes: Buffer): PictureSize | undefined {
  for (let at = 2; at + SEGMENT + FRAME <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (beginsFrame(bytes[at + 1] ?? 0)) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
  }
  return undefined;
}

/** SOF0 to SOF15; three of these numbers mean something else. */
function beginsFrame(mark: number): boolean {
  return mark >= 0xc0 && mark <= 0xcf && mark !== 0xc4 && mark !== 0xc8 && mark !== 0xcc;
}
