const GUID_BYTES = 16;
const SID_HEADER = 8;
const LONGEST_SID = SID_HEADER + 15 * 4;

/** Attributes whose values are bytes, not text: a client must be told, or it makes text of them. */
export const BINARY_ATTRIBUTES = ['objectGUID', 'objectSid'] as const;

/**
 * An objectGUID as people and other programs write it ([MS-DTYP] 2.3.4.3): it stays when an entry is renamed or moved.
 * Undefined when the bytes are none.
 */
export function guidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== GUID_BYTES) return undefined;
  const at = Buffer.from(bytes);
  const hex = [at.readUInt32LE(0).toString(16).padStart(8, '0'), at.readUInt16LE(4).toString(16).padStart(4, '0'), at.readUInt16LE(6).toString(16).padStart(4, '0')];
  return [...hex, at.toString('hex', 8, 10), at.toString('hex', 10)].join('-');
}

/**
 * The objectSid of an account's primary group, of which the account is a member although neither says so: that of the
 * account with another last part ([MS-ADA3] 2.120). Undefined when the two do not make one.
 */
export function primaryGroupSid(objectSid: Uint8Array, primaryGroupId: string): Uint8Array | undefined {
  const known = objectSid.length > SID_HEADER && objectSid.length <= LONGEST_SID && objectSid.length === SID_HEADER + 4 * (objectSid[1] ?? 0);
  if (!known || !/^\d{1,10}$/.test(primaryGroupId) || Number(primaryGroupId) > 0xffff_ffff) return undefined;
  const sid = Buffer.from(objectSid);
  sid.writeUInt32LE(Number(primaryGroupId), sid.length - 4);
  return sid;
}

/** Bytes as a search filter writes them (RFC 4515, section 3). */
export function filterBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/../g, '\\$&');
}
