const SID_HEADER = 8;
const LONGEST_SID = SID_HEADER + 15 * 4;

/** What to read of an account to find its primary group. The first is bytes. */
export const PRIMARY_GROUP_ATTRIBUTES = ['objectSid', 'primaryGroupID'] as const;

/**
 * Finds the primary group of an account. The account is in it although neither lists the other: only its SID is known,
 * which is the account's with another last part ([MS-ADA3] 2.120). Undefined when the two make no SID.
 */
export function primaryGroupFilter(objectSid: Uint8Array | undefined, primaryGroupId: string | undefined): string | undefined {
  if (objectSid === undefined || !isSid(objectSid) || !/^\d{1,10}$/.test(primaryGroupId ?? '') || Number(primaryGroupId) > 0xffff_ffff) return undefined;
  const sid = Buffer.from(objectSid);
  sid.writeUInt32LE(Number(primaryGroupId), sid.length - 4);
  return `(objectSid=${sid.toString('hex').replace(/../g, '\\$&')})`;
}

/** [MS-DTYP] 2.4.2.2: a header that says how many parts follow, at least one of them here. */
function isSid(bytes: Uint8Array): boolean {
  return bytes.length > SID_HEADER && bytes.length <= LONGEST_SID && bytes.length === SID_HEADER + 4 * (bytes[1] ?? 0);
}
